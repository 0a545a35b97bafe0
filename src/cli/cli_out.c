/* Messages to stderr, results to stdout, colour only for people. */
#include "cli.h"

#include <unistd.h>

void stile__cli_say(const char *format, ...)
{
    va_list list;

    (void)fputs("stile: ", stderr);
    va_start(list, format);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fputc('\n', stderr);
}

bool stile__cli_color(FILE *file)
{
    const char *no = getenv("NO_COLOR");

    return isatty(fileno(file)) == 1 && (!no || !*no);
}

bool stile__cli_write(FILE *file, struct stile_buf *buf)
{
    bool good = buf->status == STILE_OK;

    if (!good) {
        stile__cli_say("the result is too large to be held: %s",
                       stile_status_text(buf->status));
    } else if (buf->len > 0 &&
               fwrite(buf->ptr, 1, buf->len, file) != buf->len) {
        good = false;
    }
    if (good && fflush(file) != 0) {
        good = false;
    }
    if (!good && buf->status == STILE_OK) {
        stile__cli_say("the result could not be written; is the disk full, "
                       "or was the pipe closed?");
    }
    stile_buf_clear(buf);
    return good;
}

bool stile__cli_diags(FILE *file, const struct stile_diags *diags)
{
    struct stile_buf out;
    bool good;

    stile_buf_init(&out, (size_t)64 << 20);
    stile_diags_print(diags, stile__cli_color(file), &out);
    good = stile__cli_write(file, &out);
    stile_buf_release(&out);
    return good;
}

void stile__cli_plural(struct stile_buf *out, uint64_t count,
                       const char *singular, const char *plural)
{
    stile_buf_printf(out, "%llu %s", (unsigned long long)count,
                     count == 1 ? singular : plural);
}

void stile__cli_progress(struct cli_progress *progress, const char *what,
                         uint64_t done, uint64_t total)
{
    stile_time now = stile_now();

    if (progress->began == 0) {
        progress->began = now;
        progress->shown = now;
        progress->active = isatty(fileno(stderr)) == 1;
    }
    if (!progress->active || now - progress->shown < STILE_SECOND) {
        return;
    }
    progress->shown = now;
    (void)fprintf(stderr, "\r%s: %llu of %llu", what, (unsigned long long)done,
                  (unsigned long long)total);
    (void)fflush(stderr);
}

void stile__cli_progress_end(struct cli_progress *progress)
{
    if (progress->active && progress->shown != progress->began) {
        (void)fputs("\r\033[K", stderr);
    }
    *progress = (struct cli_progress){0};
}
