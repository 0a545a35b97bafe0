/* What an officer did: the text that is signed, the signature, the entry. */
#include "private.h"

#define ACT_BYTES_MAX (8 * STILE_ACT_TEXT_MAX)

static void add_line(struct stile_buf *out, struct stile_str text)
{
    stile_buf_add(out, text);
    stile_buf_byte(out, '\n');
}

void stile_act_text(const struct stile_officers *officers,
                    const struct stile_act *act, struct stile_buf *out)
{
    char at[25];

    stile_buf_addc(out, "stile-act v1\n");
    add_line(out, officers->organisation);
    add_line(out, act->what);
    add_line(out, act->subject);
    add_line(out, act->officer);
    add_line(out, (struct stile_str){at, stile_time_format(act->at, at)});
    add_line(out, act->because);
}

static bool line_valid(struct stile_str text)
{
    if (text.len == 0 || text.len > STILE_ACT_TEXT_MAX ||
        !stile_utf8_valid(text) || !stile__plain(text)) {
        return false;
    }
    return true;
}

static bool is_digit(struct stile_str text, size_t at)
{
    return at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
}

/* Ten digits, spaces between or none, that are an NHS number; not ten out of a
 * longer number, as a telephone's. */
static bool holds_number(struct stile_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char digits[10];
        size_t len = 0, k = i;

        if (!is_digit(text, i) || (i > 0 && is_digit(text, i - 1))) {
            continue;
        }
        for (; k < text.len && len < sizeof(digits) &&
               (is_digit(text, k) || text.ptr[k] == ' ');
             k++) {
            if (is_digit(text, k)) {
                digits[len++] = text.ptr[k];
            }
        }
        if (!is_digit(text, k) &&
            stile_nhs_number_valid((struct stile_str){digits, len})) {
            return true;
        }
    }
    return false;
}

/* The officer, if the act is theirs to do on its day. */
static enum stile_status officer_of(const struct stile_officers *officers,
                                    const struct stile_act *act,
                                    const struct stile_officer **ret,
                                    const char **ret_error)
{
    const struct stile_officer *officer =
        stile_officers_find(officers, act->officer);
    int64_t day = stile_london_day(act->at);

    if (!line_valid(act->what) || !line_valid(act->subject) ||
        !line_valid(act->because) || act->at < 0) {
        *ret_error = "the act and its reason must be one line each, of at most "
                     "1000 bytes";
        return STILE_INVALID;
    }
    if (!officer) {
        *ret_error = "officers.yaml names no officer of this id";
    } else if (!(officer->may & 1u << act->may)) {
        *ret_error = "officers.yaml does not let this officer do it";
    } else if (day < stile_date_days(officer->from) ||
               day > stile_date_days(officer->until)) {
        *ret_error = "officers.yaml does not name this officer for that day";
    } else {
        *ret = officer;
        return STILE_OK;
    }
    return STILE_DENIED;
}

enum stile_status stile_act_sign(const struct stile_officers *officers,
                                 struct stile_act *act, const uint8_t seed[32],
                                 const char **ret_error)
{
    const struct stile_officer *officer = NULL;
    enum stile_status status = officer_of(officers, act, &officer, ret_error);
    uint8_t key[32], signature[64];
    struct stile_buf text;

    if (status != STILE_OK) {
        return status;
    }
    if (holds_number(act->because)) {
        *ret_error = "the reason holds an NHS number, which the log could not "
                     "forget: name the case by a reference of your own";
        return STILE_INVALID;
    }
    *ret_error = "memory is short";
    status = stile_ed25519_public(seed, key);
    if (status == STILE_OK && memcmp(key, officer->key, sizeof(key)) != 0) {
        *ret_error = "the key is not the one officers.yaml has of this officer";
        return STILE_DENIED;
    }
    stile_buf_init(&text, ACT_BYTES_MAX);
    stile_act_text(officers, act, &text);
    if (status == STILE_OK) {
        status = text.status;
    }
    if (status == STILE_OK) {
        status = stile_ed25519_sign(seed, stile_buf_str(&text), signature);
    }
    stile_buf_release(&text);
    if (status == STILE_OK) {
        memcpy(act->signature, signature, sizeof(signature));
    }
    return status;
}

enum stile_status stile_act_check(const struct stile_officers *officers,
                                  const struct stile_act *act,
                                  const char **ret_error)
{
    const struct stile_officer *officer = NULL;
    enum stile_status status = officer_of(officers, act, &officer, ret_error);
    struct stile_buf text;

    if (status != STILE_OK) {
        return status;
    }
    stile_buf_init(&text, ACT_BYTES_MAX);
    stile_act_text(officers, act, &text);
    status = text.status;
    if (status != STILE_OK) {
        *ret_error = "memory is short";
    } else if (!stile_ed25519_verify(officer->key, stile_buf_str(&text),
                                     act->signature)) {
        *ret_error = "the signature is not of this officer's key, or what was "
                     "signed has been changed";
        status = STILE_DENIED;
    }
    stile_buf_release(&text);
    return status;
}

struct stile_value *stile_act_value(const struct stile_officers *officers,
                                    const struct stile_act *act,
                                    struct stile_arena *arena)
{
    const struct stile_officer *officer =
        stile_officers_find(officers, act->officer);
    struct stile_value *value = stile_value_new(arena, STILE_OBJECT);
    char at[25], hex[2 * sizeof(act->signature) + 1];

    for (size_t i = 0; i < sizeof(act->signature); i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", act->signature[i]);
    }
    at[stile_time_format(act->at, at)] = '\0';
    (void)stile_value_set_str(arena, value, "act", act->what);
    (void)stile_value_set_str(arena, value, "at",
                              stile_arena_str(arena, stile_str_cstr(at)));
    (void)stile_value_set_str(arena, value, "because", act->because);
    (void)stile_value_set_str(arena, value, "officer", act->officer);
    if (officer) {
        (void)stile_value_set_str(arena, value, "role", officer->role);
    }
    (void)stile_value_set_str(arena, value, "signature",
                              stile_arena_str(arena, stile_str_cstr(hex)));
    (void)stile_value_set_str(arena, value, "subject", act->subject);
    return value;
}
