#include <stile/audit.h>

#include <string.h>

/* C2SP signed-note: a signature line is em dash, space, key name, space,
 * base64 of 4 bytes of key hash and the signature. */
#define DASH "\xe2\x80\x94 "
#define SIGNATURE_ED25519 0x01
#define KEY_NAME_MAX 255u
/* A note is a few lines and a few cosignatures; more is no checkpoint. */
#define NOTE_MAX 65536u

/* C2SP signed-note: names are not empty, without Unicode space or plus. The
 * spaces beyond ASCII are refused by refusing all but visible ASCII. */
static bool key_name_good(struct stile_str name)
{
    if (name.len == 0 || name.len > KEY_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '+') {
            return false;
        }
    }
    return true;
}

static bool origin_good(struct stile_str origin)
{
    if (origin.len == 0 || origin.len > KEY_NAME_MAX ||
        !stile_utf8_valid(origin)) {
        return false;
    }
    for (size_t i = 0; i < origin.len; i++) {
        if ((unsigned char)origin.ptr[i] < 0x20 || origin.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static void key_hash(struct stile_str name, const uint8_t public_key[32],
                     uint8_t ret[4])
{
    char bytes[KEY_NAME_MAX + 2 + 32];
    struct stile_digest digest;

    memcpy(bytes, name.ptr, name.len);
    bytes[name.len] = '\n';
    bytes[name.len + 1] = SIGNATURE_ED25519;
    memcpy(bytes + name.len + 2, public_key, 32);
    stile_sha256((struct stile_str){bytes, name.len + 34}, &digest);
    memcpy(ret, digest.bytes, 4);
}

static void add_note(struct stile_buf *out, struct stile_str text,
                     struct stile_str key_name, const uint8_t signature[68])
{
    stile_buf_add(out, text);
    stile_buf_addc(out, "\n" DASH);
    stile_buf_add(out, key_name);
    stile_buf_byte(out, ' ');
    stile_base64(out, (struct stile_str){(const char *)signature, 68});
    stile_buf_byte(out, '\n');
}

enum stile_status
stile_audit_checkpoint_sign(const struct stile_audit_checkpoint *checkpoint,
                            struct stile_str key_name, const uint8_t seed[32],
                            struct stile_buf *out)
{
    size_t start = out->len;
    uint8_t public_key[32];
    uint8_t signature[68];
    struct stile_buf text;
    enum stile_status status;

    if (!key_name_good(key_name) || !origin_good(checkpoint->origin)) {
        return STILE_INVALID;
    }
    stile_buf_init(&text, 1024);
    stile_buf_add(&text, checkpoint->origin);
    stile_buf_printf(&text, "\n%llu\n", (unsigned long long)checkpoint->size);
    stile_base64(&text,
                 (struct stile_str){(const char *)checkpoint->root.bytes, 32});
    stile_buf_byte(&text, '\n');
    status = text.status;
    if (status == STILE_OK) {
        status = stile_ed25519_public(seed, public_key);
    }
    if (status == STILE_OK) {
        key_hash(key_name, public_key, signature);
        status = stile_ed25519_sign(seed, stile_buf_str(&text), signature + 4);
    }
    if (status == STILE_OK) {
        add_note(out, stile_buf_str(&text), key_name, signature);
        status = out->status;
    }
    stile_buf_release(&text);
    if (status != STILE_OK) {
        stile_buf_cut(out, start);
    }
    return status;
}

/* Base64 of exactly `len` bytes. */
static bool decode(struct stile_str text, uint8_t *ret, size_t len)
{
    struct stile_buf bytes;
    bool good;

    stile_buf_init(&bytes, len + 3);
    good = stile_base64_decode(&bytes, text) && bytes.len == len;
    if (good) {
        memcpy(ret, bytes.ptr, len);
    }
    stile_buf_release(&bytes);
    return good;
}

/* Cuts a line with its end off *rest. Unlike stile_str_next it tells a line
 * that has no end from one that has. */
static bool next_line(struct stile_str *rest, struct stile_str *ret)
{
    size_t end = stile_str_find(*rest, '\n');

    if (end == SIZE_MAX) {
        return false;
    }
    *ret = stile_str_sub(*rest, 0, end);
    *rest = stile_str_sub(*rest, end + 1, rest->len);
    return true;
}

/* C2SP tlog-checkpoint: origin, decimal size without leading zeroes, base64
 * root, then lines for extensions, none of them empty. */
static bool parse_text(struct stile_str text,
                       struct stile_audit_checkpoint *ret)
{
    struct stile_str origin, size, root, extension;
    int64_t number = 0;

    if (!next_line(&text, &origin) || !next_line(&text, &size) ||
        !next_line(&text, &root) || !origin_good(origin)) {
        return false;
    }
    if (size.len == 0 || size.ptr[0] < '0' || size.ptr[0] > '9' ||
        (size.len > 1 && size.ptr[0] == '0') ||
        !stile_str_to_int64(size, &number)) {
        return false;
    }
    if (!decode(root, ret->root.bytes, sizeof ret->root.bytes)) {
        return false;
    }
    while (text.len > 0) {
        if (!next_line(&text, &extension) || extension.len == 0) {
            return false;
        }
    }
    ret->origin = origin;
    ret->size = (uint64_t)number;
    return true;
}

/* Cuts the signature line into name and base64. */
static bool parse_signature(struct stile_str line, struct stile_str *ret_name,
                            struct stile_str *ret_code)
{
    size_t space;

    if (!stile_str_starts(line, STILE_STR(DASH))) {
        return false;
    }
    line = stile_str_sub(line, sizeof DASH - 1, line.len);
    space = stile_str_find(line, ' ');
    if (space == SIZE_MAX || space == 0) {
        return false;
    }
    *ret_name = stile_str_sub(line, 0, space);
    *ret_code = stile_str_sub(line, space + 1, line.len);
    return ret_code->len > 0;
}

/* OK, DENIED (none of the key's), INVALID (no signature lines). A line of
 * another key, or of another kind of signature, is passed over: witnesses
 * add theirs. */
static enum stile_status check_signatures(struct stile_str lines,
                                          struct stile_str text,
                                          struct stile_str key_name,
                                          const uint8_t public_key[32])
{
    enum stile_status status = STILE_DENIED;
    uint8_t hash[4];

    key_hash(key_name, public_key, hash);
    if (lines.len == 0) {
        return STILE_INVALID;
    }
    while (lines.len > 0) {
        struct stile_str line, name, code;
        uint8_t signature[68];

        if (!next_line(&lines, &line) || !parse_signature(line, &name, &code)) {
            return STILE_INVALID;
        }
        if (status != STILE_OK && stile_str_eq(name, key_name) &&
            decode(code, signature, sizeof signature) &&
            memcmp(signature, hash, sizeof hash) == 0 &&
            stile_ed25519_verify(public_key, text, signature + 4)) {
            status = STILE_OK;
        }
    }
    return status;
}

enum stile_status
stile_audit_checkpoint_open(struct stile_str note, struct stile_str key_name,
                            const uint8_t public_key[32],
                            struct stile_audit_checkpoint *ret)
{
    struct stile_audit_checkpoint checkpoint;
    struct stile_str text, lines;
    enum stile_status status;
    size_t gap;

    if (note.len > NOTE_MAX || !key_name_good(key_name)) {
        return STILE_INVALID;
    }
    gap = stile_str_find_str(note, STILE_STR("\n\n" DASH));
    if (gap == SIZE_MAX) {
        return STILE_INVALID;
    }
    text = stile_str_sub(note, 0, gap + 1);
    lines = stile_str_sub(note, gap + 2, note.len);
    if (!parse_text(text, &checkpoint)) {
        return STILE_INVALID;
    }
    status = check_signatures(lines, text, key_name, public_key);
    if (status == STILE_OK) {
        *ret = checkpoint;
    }
    return status;
}
