/* The two containers of an exchange, both in its arena. */
#include "exchange_private.h"

void *stile__list_add(struct stile_arena *arena, struct stile__list *list,
                      size_t size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
        char *items = stile_arena_array(arena, capacity, size);
        if (items == NULL) {
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * size);
        }
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * size;
}

static struct stile__map_slot *find_slot(const struct stile__map *map,
                                         struct stile_str key)
{
    size_t mask = map->capacity - 1;
    size_t i = (size_t)stile_str_hash(key) & mask;
    while (map->slots[i].value != NULL &&
           !stile_str_eq(map->slots[i].key, key)) {
        i = (i + 1) & mask;
    }
    return &map->slots[i];
}

void *stile__map_get(const struct stile__map *map, struct stile_str key)
{
    return map->capacity == 0 ? NULL : find_slot(map, key)->value;
}

static bool grow(struct stile_arena *arena, struct stile__map *map)
{
    struct stile__map next = {0};
    next.capacity = map->capacity == 0 ? 16 : map->capacity * 2;
    next.slots = stile_arena_array(arena, next.capacity, sizeof(*next.slots));
    if (next.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value != NULL) {
            *find_slot(&next, map->slots[i].key) = map->slots[i];
        }
    }
    next.count = map->count;
    *map = next;
    return true;
}

void stile__map_put(struct stile_arena *arena, struct stile__map *map,
                    struct stile_str key, void *value)
{
    STILE_ASSERT(value != NULL);
    if (map->count * 2 >= map->capacity && !grow(arena, map)) {
        return;
    }
    struct stile__map_slot *slot = find_slot(map, key);
    if (slot->value == NULL) {
        slot->key = key;
        slot->value = value;
        map->count++;
    }
}
