/* The one place that logs. Lines go to standard error, one write each. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway_private.h"

static const char *level_text(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn";
    case LOG_INFO:
        break;
    }
    return "info";
}

static void write_all(struct stile_str s)
{
    while (s.len > 0) {
        ssize_t n = write(STDERR_FILENO, s.ptr, s.len);
        if (n <= 0) {
            return; /* nowhere left to say so */
        }
        s = stile_str_sub(s, (size_t)n, SIZE_MAX);
    }
}

static void plain(const struct gateway *g, enum log_level level,
                  const char *what, struct stile_str text,
                  struct stile_buf *out)
{
    char time[25];
    (void)stile_time_format(stile_now(), time);
    const char *on = "", *off = "";
    if (g->color && level != LOG_INFO) {
        on = level == LOG_ERROR ? "\033[31m" : "\033[33m";
        off = "\033[0m";
    }
    stile_buf_printf(out, "%.8s %-8.*s %s%-10s %.*s%s\n", time + 11,
                     STILE_FMT(g->config->name), on, what, STILE_FMT(text),
                     off);
}

static void json(const struct gateway *g, enum log_level level,
                 const char *what, struct stile_str text, struct stile_buf *out)
{
    char time[25];
    size_t len = stile_time_format(stile_now(), time);
    stile_buf_addc(out, "{\"time\":");
    stile_buf_json_str(out, (struct stile_str){time, len});
    stile_buf_addc(out, ",\"gateway\":");
    stile_buf_json_str(out, g->config->name);
    stile_buf_addc(out, ",\"level\":");
    stile_buf_json_str(out, stile_str_cstr(level_text(level)));
    stile_buf_addc(out, ",\"what\":");
    stile_buf_json_str(out, stile_str_cstr(what));
    stile_buf_addc(out, ",\"text\":");
    stile_buf_json_str(out, text);
    stile_buf_addc(out, "}\n");
}

/* Bytes of what could forge a line or turn it around on a terminal: controls
 * (C0, DEL, C1) and Unicode's marks, embeddings and line ends (U+061C, U+200E,
 * U+200F, U+2028 to U+202E, U+2066 to U+2069). */
static size_t unruly(const char *text, size_t len)
{
    unsigned char a = (unsigned char)text[0];
    unsigned char b = len > 1 ? (unsigned char)text[1] : 0;
    unsigned char c = len > 2 ? (unsigned char)text[2] : 0;
    if (a < 0x20 || a == 0x7f) {
        return 1;
    }
    if ((a == 0xc2 && b >= 0x80 && b < 0xa0) || (a == 0xd8 && b == 0x9c)) {
        return 2;
    }
    bool turns =
        (b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xa8 && c <= 0xae))) ||
        (b == 0x81 && c >= 0xa6 && c <= 0xa9);
    return a == 0xe2 && turns ? 3 : 0;
}

void log_line(const struct gateway *g, enum log_level level, const char *what,
              const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    for (size_t i = 0; i < len; i++) {
        memset(text + i, ' ', unruly(text + i, len - i));
    }
    struct stile_buf out;
    stile_buf_init(&out, 8192);
    if (g->config->log_json) {
        json(g, level, what, (struct stile_str){text, len}, &out);
    } else {
        plain(g, level, what, (struct stile_str){text, len}, &out);
    }
    write_all(stile_buf_str(&out));
    stile_buf_release(&out);
}

void log_diags(const struct gateway *g, const struct stile_diags *diags)
{
    struct stile_buf out;
    stile_buf_init(&out, 1u << 20);
    stile_diags_print(diags, false, &out);
    struct stile_str rest = stile_buf_str(&out), line;
    while (stile_str_next(&rest, '\n', &line)) {
        log_line(g, LOG_WARN, "finding", "%.*s", STILE_FMT(line));
    }
    stile_buf_release(&out);
}
