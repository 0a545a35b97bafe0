/*
 * stile/base.h - the ground floor: slices, arenas, buffers, status,
 * diagnostics, time, digests. Everything else stands on it; it stands on
 * libc and libcrypto's digests alone.
 *
 * Invariants
 *   - Text is a slice, never NUL-terminated unless a name says `cstr`.
 *   - Memory of the core comes from an arena that has a limit. Failure is
 *     sticky: an arena or buffer at its limit remembers it, later calls do
 *     nothing, and the caller looks once, at the end of its phase.
 *   - No function here reads a clock, a file, a socket or the environment.
 *
 * Ownership words, used in every header
 *   borrows  uses it during the call only
 *   keeps    stores the pointer; the caller must outlive the keeper
 *   takes    owns it from now on
 *
 * Errors: three kinds, never mixed.
 *   ours         STILE_ASSERT, always on
 *   the world's  enum stile_status, must be looked at
 *   the user's   struct stile_diags, collected, with place and next step
 *
 * Threads: a value belongs to one thread at a time. No function has state.
 */
#ifndef STILE_BASE_H
#define STILE_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define STILE_MUSTCHECK __attribute__((warn_unused_result))
#define STILE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define STILE_NORETURN __attribute__((noreturn))
#else
#define STILE_MUSTCHECK
#define STILE_PRINTF(f, a)
#define STILE_NORETURN
#endif

/* ---- status: the world's errors ---- */

#define STILE_STATUS_LIST(X)                                                   \
    X(OK, "ok")                                                                \
    X(INVALID, "the input is not valid")                                       \
    X(LIMIT, "a limit was reached")                                            \
    X(NOMEM, "memory could not be had")                                        \
    X(NOT_FOUND, "not found")                                                  \
    X(EXISTS, "exists already")                                                \
    X(CONFLICT, "conflicts with what is there")                                \
    X(BUSY, "busy, try again")                                                 \
    X(IO, "input or output failed")                                            \
    X(UNCERTAIN, "the outcome is not known")                                   \
    X(DENIED, "not allowed")                                                   \
    X(UNSUPPORTED, "not supported")                                            \
    X(END, "there is no more")                                                 \
    X(NEED, "facts are needed first")

enum stile_status {
#define X(name, text) STILE_##name,
    STILE_STATUS_LIST(X)
#undef X
    STILE_STATUS_COUNT
};

/* A short English phrase; static. */
const char *stile_status_text(enum stile_status status);

STILE_NORETURN void stile_assert_fail(const char *expr, const char *file,
                                      int line);
#define STILE_ASSERT(e)                                                        \
    ((e) ? (void)0 : stile_assert_fail(#e, __FILE__, __LINE__))

/* ---- slices ---- */

struct stile_str {
    const char *ptr;
    size_t len;
};

#define STILE_STR(literal) ((struct stile_str){(literal), sizeof(literal) - 1})
#define STILE_STR_NULL ((struct stile_str){NULL, 0})
/* For printf: "%.*s", STILE_FMT(s). Slices over INT_MAX are cut. */
#define STILE_FMT(s)                                                           \
    ((int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len)),                      \
        ((s).ptr ? (s).ptr : "")

struct stile_str stile_str_cstr(const char *cstr); /* NULL gives empty */
struct stile_str stile_str_sub(struct stile_str s, size_t from, size_t len);
struct stile_str stile_str_trim(struct stile_str s); /* ASCII white space */
bool stile_str_eq(struct stile_str a, struct stile_str b);
bool stile_str_eqc(struct stile_str a, const char *cstr);
bool stile_str_eq_nocase(struct stile_str a, struct stile_str b); /* ASCII */
int stile_str_cmp(struct stile_str a, struct stile_str b);
bool stile_str_starts(struct stile_str s, struct stile_str prefix);
bool stile_str_ends(struct stile_str s, struct stile_str suffix);
/* Offset of the byte or the needle, or SIZE_MAX. */
size_t stile_str_find(struct stile_str s, char byte);
size_t stile_str_find_str(struct stile_str s, struct stile_str needle);
/* Cuts the next piece up to `sep` off *rest. False when nothing is left; so
 * a separator at the very end gives no empty last piece. */
bool stile_str_next(struct stile_str *rest, char sep,
                    struct stile_str *ret_piece);
/* Whole slice is a decimal integer in range; false otherwise, *ret kept. */
STILE_MUSTCHECK bool stile_str_to_int64(struct stile_str s, int64_t *ret);
uint64_t stile_str_hash(struct stile_str s); /* FNV-1a, 64 bit */
bool stile_utf8_valid(struct stile_str s);
/* Edit distance without case, for "did you mean"; the first nearest of
 * `names` within a third of the word's length (at least 1), or SIZE_MAX. */
size_t stile_nearest(struct stile_str word, const struct stile_str *names,
                     size_t count);

/* ---- arena ---- */

struct stile_arena;

/* `limit` is bytes the arena may hold in all, each piece rounded up to the
 * alignment of any type. NULL when memory is short; all the functions accept
 * a NULL arena, which is one that has failed. In sanitizer builds each piece
 * is its own malloc, so that overruns and use after rewind are seen. */
struct stile_arena *stile_arena_new(size_t limit);
/* Wipes every byte, then frees. Takes the address, accepts NULL, clears. */
void stile_arena_free(struct stile_arena **arena);
/* Zeroed, aligned for any type. NULL at the limit; the arena then stays
 * failed until stile_arena_reset. size 0 gives a non-NULL pointer. */
void *stile_arena_alloc(struct stile_arena *arena, size_t size);
void *stile_arena_array(struct stile_arena *arena, size_t count, size_t size);
/* Copies; a NULL ptr in the result only when the arena failed. */
struct stile_str stile_arena_str(struct stile_arena *arena, struct stile_str s);
char *stile_arena_cstr(struct stile_arena *arena, struct stile_str s);
struct stile_str stile_arena_printf(struct stile_arena *arena,
                                    const char *format, ...) STILE_PRINTF(2, 3);
struct stile_str stile_arena_vprintf(struct stile_arena *arena,
                                     const char *format, va_list args)
    STILE_PRINTF(2, 0);
bool stile_arena_failed(const struct stile_arena *arena);
size_t stile_arena_used(const struct stile_arena *arena);
/* Rewind frees, and wipes, all that was allocated after the mark. */
struct stile_arena_mark {
    void *block;
    size_t used;
    size_t total;
};
struct stile_arena_mark stile_arena_mark(struct stile_arena *arena);
void stile_arena_rewind(struct stile_arena *arena,
                        struct stile_arena_mark mark);
void stile_arena_reset(struct stile_arena *arena);

/* ---- buffer ---- */

/* A growing byte buffer on malloc with a limit; sticky failure. Zero-filled
 * struct plus stile_buf_init. Wiped on release. */
struct stile_buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t limit;
    enum stile_status status; /* OK, LIMIT or NOMEM */
};

void stile_buf_init(struct stile_buf *buf, size_t limit);
void stile_buf_release(struct stile_buf *buf);
void stile_buf_clear(struct stile_buf *buf); /* keeps the memory, status OK */
/* Room for `more` bytes behind the content, NULL at the limit. The caller
 * writes them and adds to `len` what it wrote. */
char *stile_buf_room(struct stile_buf *buf, size_t more);
void stile_buf_add(struct stile_buf *buf, struct stile_str s);
void stile_buf_addc(struct stile_buf *buf, const char *cstr);
void stile_buf_byte(struct stile_buf *buf, char byte);
void stile_buf_printf(struct stile_buf *buf, const char *format, ...)
    STILE_PRINTF(2, 3);
void stile_buf_cut(struct stile_buf *buf, size_t len); /* roll back to len */
void stile_buf_consume(struct stile_buf *buf, size_t len); /* from the front */
struct stile_str stile_buf_str(const struct stile_buf *buf);
/* Appends `s` as a JSON string with its quotes (RFC 8259 section 7). A byte
 * that is not UTF-8 becomes U+FFFD, so the result is always JSON. */
void stile_buf_json_str(struct stile_buf *buf, struct stile_str s);
/* How many bytes at the head stand in a JSON string as they are: ASCII but
 * controls, quotes and backslashes. */
size_t stile_json_plain(struct stile_str s);

/* ---- user's errors ---- */

/* A text the user wrote and we may quote: mapping, rule, config, code file. */
struct stile_source {
    struct stile_str name; /* as the user knows it: a relative path */
    struct stile_str text; /* kept */
};

struct stile_span {
    uint32_t offset; /* bytes from the start of the source's text */
    uint32_t len;
};

enum stile_severity {
    STILE_ERROR,
    STILE_WARNING,
    STILE_NOTE
};

/* One finding. `code` is stable and documented (M101, R204, C003, ...). */
struct stile_diag {
    const char *code;
    enum stile_severity severity;
    struct stile_str message; /* one sentence that says what to do */
    struct stile_str hint;    /* "did you mean 'x'?" or empty */
    struct stile_str file;    /* source or message name */
    uint32_t line, column;    /* 1-based; 0 = none. For records: row, column */
    struct stile_str quoted;  /* the line, for sources only; never records */
    uint32_t caret_len;
    struct stile_str path;   /* records: path or column name; never a value */
    uint32_t line2, column2; /* second place, or 0 */
    bool row; /* `line` is a row of a table, `column` a cell of it */
};

/* A bounded list; past `limit` only `suppressed` counts. */
struct stile_diags {
    struct stile_arena *arena; /* keeps */
    struct stile_diag *items;
    size_t count, capacity, limit;
    size_t errors, suppressed;
};

/* limit 0 means STILE_DIAGS_DEFAULT a list. */
#define STILE_DIAGS_DEFAULT 200
void stile_diags_init(struct stile_diags *diags, struct stile_arena *arena,
                      size_t limit);
/* Door one: may quote the line, because the source is ours. Copies all.
 * Returns the diag to add `hint`, `line2` to, good until the next finding, or
 * NULL when suppressed. `code` is a literal. */
struct stile_diag *
stile_diag_at_source(struct stile_diags *diags, const char *code,
                     enum stile_severity severity,
                     const struct stile_source *source, struct stile_span span,
                     const char *format, ...) STILE_PRINTF(6, 7);
/* Sets hint to "did you mean '<nearest>'?" if a near name exists. */
void stile_diag_suggest(struct stile_diags *diags, struct stile_diag *diag,
                        struct stile_str word, const struct stile_str *names,
                        size_t count);
/* Second place in the same source. */
void stile_diag_second(struct stile_diag *diag,
                       const struct stile_source *source,
                       struct stile_span span);
/* Door two: a place in a message. It has no parameter for a value; `message`
 * is a literal, so no patient's data can be printed into it. `row` 1-based
 * data row or 0; `path` a column name, JSON path or rule place (copied). */
struct stile_diag *stile_diag_at_record(struct stile_diags *diags,
                                        const char *code,
                                        enum stile_severity severity,
                                        struct stile_str message_name,
                                        uint64_t row, struct stile_str path,
                                        const char *literal_message);
/* Line and column (1-based, column in bytes) of an offset. */
void stile_source_place(const struct stile_source *source, uint32_t offset,
                        uint32_t *ret_line, uint32_t *ret_column);
/* file:line:col: error[CODE]: message / line / caret / hint. `color` adds
 * terminal colours. */
void stile_diag_print(const struct stile_diag *diag, bool color,
                      struct stile_buf *out);
void stile_diags_print(const struct stile_diags *diags, bool color,
                       struct stile_buf *out);
/* A JSON array of objects code, severity, file, line, column, message,
 * hint, path. What was suppressed is the caller's to say. */
void stile_diags_json(const struct stile_diags *diags, struct stile_buf *out);

/* ---- time ---- */

/* Microseconds since 1970-01-01T00:00:00Z. Passed in, never read here. */
typedef int64_t stile_time;
#define STILE_SECOND ((stile_time)1000000)

struct stile_date {
    int year;  /* 1..9999 */
    int month; /* 1..12, 0 = not known */
    int day;   /* 1..31, 0 = not known */
};

bool stile_date_valid(struct stile_date date); /* calendar-checked */
/* Strict YYYY-MM-DD, YYYY-MM or YYYY. */
STILE_MUSTCHECK bool stile_date_parse(struct stile_str s,
                                      struct stile_date *ret);
/* Since 1970-01-01; a month or day not known counts as the first. */
int64_t stile_date_days(struct stile_date date);
/* Year 0 when outside the years 1 to 9999. */
struct stile_date stile_date_from_days(int64_t days);
/* FHIR instant: YYYY-MM-DDThh:mm:ss[.f](Z|+hh:mm|-hh:mm). Digits below the
 * microsecond are cut. False outside the years 1 to 9999 UTC. */
STILE_MUSTCHECK bool stile_time_parse(struct stile_str s, stile_time *ret);
/* YYYY-MM-DDThh:mm:ss.mmmZ into 25 bytes with NUL; returns 24. Times outside
 * the years 1 to 9999 are written as the nearest inside. */
size_t stile_time_format(stile_time t, char out[25]);
/* Europe/London civil time to UTC, by the rule in force since 1996: clocks
 * change at 01:00 UTC on the last Sundays of March and October (Summer Time
 * Order 2002, SI 2002/262). *ret_offset_minutes is 0 or 60. INVALID for an
 * hour that does not exist; CONFLICT for the repeated autumn hour, with
 * *ret set to the earlier. Years before 1996 give UNSUPPORTED. */
STILE_MUSTCHECK enum stile_status
stile_london_to_utc(struct stile_date date, int hour, int minute, int second,
                    stile_time *ret, int *ret_offset_minutes);
/* The same rule for every year, so not the law of the time before 1996. */
int stile_london_offset_minutes(stile_time t);
/* Which day it is there, in days since 1970-01-01: the day that agreements,
 * rules and officers' terms are counted by. */
int64_t stile_london_day(stile_time t);
/* When that day begins there. */
stile_time stile_london_midnight(int64_t day);

/* ---- digests ---- */

/* libcrypto fails here only when memory is short; that aborts. */
struct stile_digest {
    uint8_t bytes[32];
};

struct stile_sha256; /* streaming; one heap object, reused by reset */
struct stile_sha256 *stile_sha256_new(void);
void stile_sha256_free(struct stile_sha256 **ctx);
void stile_sha256_reset(struct stile_sha256 *ctx);
void stile_sha256_add(struct stile_sha256 *ctx, struct stile_str s);
void stile_sha256_done(struct stile_sha256 *ctx, struct stile_digest *ret);
void stile_sha256(struct stile_str s, struct stile_digest *ret); /* one shot */
void stile_hmac_sha256(struct stile_str key, struct stile_str s,
                       struct stile_digest *ret);
bool stile_digest_eq(const struct stile_digest *a,
                     const struct stile_digest *b); /* constant time */
/* 64 hex digits and NUL. */
void stile_digest_hex(const struct stile_digest *digest, char out[65]);
STILE_MUSTCHECK bool stile_digest_parse(struct stile_str hex,
                                        struct stile_digest *ret);
/* RFC 4648 section 4. Decoding is strict: padding, no white space, no bits
 * left over; false leaves the bytes of `out` as they were. */
void stile_base64(struct stile_buf *out, struct stile_str bytes);
STILE_MUSTCHECK bool stile_base64_decode(struct stile_buf *out,
                                         struct stile_str text);
void stile_wipe(void *ptr, size_t len); /* not optimised away */

/* ---- signatures ---- */

/* Ed25519 (RFC 8032) through libcrypto. `seed` is the 32-byte private key. */
STILE_MUSTCHECK enum stile_status stile_ed25519_public(const uint8_t seed[32],
                                                       uint8_t ret_public[32]);
STILE_MUSTCHECK enum stile_status stile_ed25519_sign(const uint8_t seed[32],
                                                     struct stile_str message,
                                                     uint8_t ret_signature[64]);
STILE_MUSTCHECK bool stile_ed25519_verify(const uint8_t public_key[32],
                                          struct stile_str message,
                                          const uint8_t signature[64]);

/* ---- identifiers ---- */

/* NHS number: ten digits, modulus 11 check digit (NHS Data Dictionary, NHS
 * NUMBER). Spaces are not accepted here; a repair is the format's work. */
bool stile_nhs_number_valid(struct stile_str s);
/* SNOMED CT identifier: 6 to 18 digits, Verhoeff check digit. */
bool stile_snomed_id_valid(struct stile_str s);
/* ODS code by its form: up to 20 capital letters and digits. */
bool stile_ods_valid(struct stile_str s);
/* GUID with or without braces, any case. Writes 36 lower-case characters
 * and NUL. */
STILE_MUSTCHECK bool stile_guid_normal(struct stile_str s, char out[37]);

#endif
