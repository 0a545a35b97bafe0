/*
 * Text that shows as what it is: no controls, which a terminal obeys, and no
 * marks that turn the direction of what follows (Unicode UAX #9), which show
 * one thing and say another. Officers sign what they are shown.
 */
#include "private.h"

/* The three bytes E2 xx yy. */
static bool turns(unsigned char second, unsigned char third)
{
    return (second == 0x80 && (third == 0x8e || third == 0x8f ||
                               (third >= 0xa8 && third <= 0xae))) ||
           (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

bool stile__plain(struct stile_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char d = i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
        unsigned char e = i + 2 < text.len ? (unsigned char)text.ptr[i + 2] : 0;

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && d < 0xa0) ||
            (c == 0xd8 && d == 0x9c) || (c == 0xe2 && turns(d, e))) {
            return false;
        }
    }
    return true;
}

static void find(struct stile__load *load, const struct stile_source *source,
                 struct stile_span span)
{
    (void)stile_diag_at_source(
        load->diags, "R114", STILE_ERROR, source, span,
        "the text holds a line end, another control or a mark that turns its "
        "direction, and could show as what it is not; take it out");
}

/* Nodes are in order: down, on, or up and on. */
void stile__plain_check(struct stile__load *load, const struct stile_node *root)
{
    const struct stile_node *node = root;

    while (node) {
        if (!stile__plain(node->key)) {
            find(load, node->source, node->key_span);
        }
        if (!stile__plain(node->text)) {
            find(load, node->source, node->span);
        }
        if (node->first) {
            node = node->first;
            continue;
        }
        while (node && node != root && !node->next) {
            node = node->parent;
        }
        node = node && node != root ? node->next : NULL;
    }
}

/* Lists: line by line, in which only a tab may stand besides. */
void stile__plain_lines(struct stile__load *load,
                        const struct stile_source *source)
{
    size_t from = 0;

    for (size_t i = 0; i <= source->text.len; i++) {
        char c = i < source->text.len ? source->text.ptr[i] : '\n';

        if (c != '\n' && c != '\r' && c != '\t') {
            continue;
        }
        if (!stile__plain(stile_str_sub(source->text, from, i - from))) {
            find(load, source,
                 (struct stile_span){(uint32_t)from, (uint32_t)i});
            return;
        }
        from = i + 1;
    }
}
