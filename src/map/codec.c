/* The table of codecs, and what holds for all of them. */
#include "codec.h"

#define COL(type) (1u << STILE_COL_##type)
#define LIKE_TEXT (COL(TEXT) | COL(EMPTY))

static const struct stile__codec codecs[] = {
    {"text", 1, 1, FITS_TEXT | FITS_URI | FITS_CODE, 0, 0, LAW_ISO,
     stile__text_right, stile__text_left},
    {"code", 1, 1, FITS_CODE | FITS_TEXT | FITS_URI, 0, 0, LAW_CANON,
     stile__code_right, stile__text_left},
    {"id", 1, STILE__CELLS, FITS_ID | FITS_TEXT, TAKES_TEXT, 0, LAW_ISO,
     stile__id_right, stile__id_left},
    {"guid", 1, 1, FITS_ID | FITS_TEXT | FITS_URI, 0, LIKE_TEXT | COL(GUID),
     LAW_CANON, stile__guid_right, stile__guid_left},
    {"ref", 1, STILE__CELLS, FITS_REFERENCE, TAKES_TYPE, 0, LAW_ISO,
     stile__ref_right, stile__ref_left},
    {"bool", 1, 1, FITS_BOOL, 0, LIKE_TEXT | COL(BOOL), LAW_CANON,
     stile__bool_right, stile__bool_left},
    {"yes-no", 1, 1, FITS_BOOL, 0, LIKE_TEXT | COL(BOOL), LAW_CANON,
     stile__bool_right, stile__yes_no_left},
    {"int", 1, 1, FITS_INT | FITS_DECIMAL, TAKES_RANGE,
     LIKE_TEXT | COL(INT) | COL(DECIMAL), LAW_CANON, stile__int_right,
     stile__int_left},
    {"decimal", 1, 1, FITS_DECIMAL, 0, LIKE_TEXT | COL(INT) | COL(DECIMAL),
     LAW_CANON, stile__decimal_right, stile__decimal_left},
    {"nhs-number", 1, 1, FITS_TEXT, 0, LIKE_TEXT | COL(INT), LAW_CANON,
     stile__nhs_right, stile__nhs_left},
    {"postcode", 1, 1, FITS_TEXT, 0, LIKE_TEXT, LAW_CANON,
     stile__postcode_right, stile__text_left},
    {"date", 1, 1, FITS_DATE | FITS_DATETIME, 0,
     LIKE_TEXT | COL(DATE) | COL(DATETIME), LAW_ISO, stile__date_right,
     stile__date_left},
    {"date-dmy", 1, 1, FITS_DATE | FITS_DATETIME, 0, LIKE_TEXT | COL(DATE),
     LAW_ISO, stile__dmy_right, stile__dmy_left},
    {"date-mon", 1, 1, FITS_DATE | FITS_DATETIME, 0,
     LIKE_TEXT | COL(DATE) | COL(DATETIME), LAW_CANON, stile__mon_right,
     stile__mon_left},
    {"partial-date", 2, 2, FITS_DATE | FITS_DATETIME, 0, LIKE_TEXT | COL(DATE),
     LAW_CANON, stile__partial_right, stile__partial_left},
    {"instant", 2, 2, FITS_INSTANT | FITS_DATETIME, TAKES_ZONE | TAKES_TURN,
     LIKE_TEXT | COL(DATE) | COL(TIME), LAW_CANON, stile__instant_right,
     stile__instant_left},
    {"local-time", 1, 1, FITS_INSTANT | FITS_DATETIME,
     TAKES_ZONE | TAKES_TURN | TAKES_SECONDS,
     LIKE_TEXT | COL(DATE) | COL(DATETIME), LAW_CANON, stile__local_right,
     stile__local_left},
    {"local-time-mon", 1, 1, FITS_INSTANT | FITS_DATETIME,
     TAKES_ZONE | TAKES_TURN, LIKE_TEXT | COL(DATE) | COL(DATETIME), LAW_CANON,
     stile__local_mon_right, stile__local_mon_left},
    {"codes", 1, 1, FITS_CODE | FITS_TEXT | FITS_BOOL | FITS_URI,
     TAKES_TABLE | TAKES_POLICY, 0, LAW_ISO, stile__codes_encode,
     stile__codes_decode},
    {"display", 1, 1, FITS_TEXT, TAKES_TABLE, 0, LAW_ONE_WAY,
     stile__display_right, NULL},
    {"via", 1, 1, FITS_TEXT | FITS_CODE | FITS_URI, TAKES_COLUMN, 0, LAW_VIEW,
     stile__code_right, NULL},
    {"join-key", 2, STILE__CELLS, FITS_TEXT | FITS_URI, NEEDS_TEXT, 0, LAW_ISO,
     stile__join_right, stile__join_left},
    {"words", 1, STILE__CELLS, FITS_TEXT, TAKES_TEXT, 0, LAW_ONE_WAY,
     stile__words_right, NULL},
    {"digest", 1, STILE__CELLS, FITS_ID | FITS_TEXT, 0, 0, LAW_ONE_WAY,
     stile__digest_right, NULL},
    {"prefix", 1, 1, FITS_TEXT | FITS_URI | FITS_CODE, NEEDS_TEXT, 0, LAW_ISO,
     stile__prefix_right, stile__prefix_left},
    {"list", 1, STILE__CELLS, FITS_TEXT, MAKES_LIST, 0, LAW_CANON,
     stile__list_right, stile__list_left},
    {"split", 1, 1, FITS_TEXT | FITS_CODE | FITS_URI, NEEDS_TEXT | MAKES_LIST,
     0, LAW_CANON, stile__split_right, stile__split_left},
};

#define CODECS (sizeof codecs / sizeof codecs[0])

const struct stile__codec *stile__codec_at(size_t i)
{
    return i < CODECS ? &codecs[i] : NULL;
}

const struct stile__codec *stile__codec_find(struct stile_str name)
{
    for (size_t i = 0; i < CODECS; i++) {
        if (stile_str_eqc(name, codecs[i].name)) {
            return &codecs[i];
        }
    }
    return NULL;
}

static bool is_blank(const struct stile__codec_use *use, struct stile_str cell)
{
    for (size_t i = 0; i < use->blank_count; i++) {
        if (stile_str_eq(cell, use->blanks[i])) {
            return true;
        }
    }
    return cell.len == 0;
}

/* An empty cell is an absent element, for every codec. */
enum stile__run_code stile__codec_right(const struct stile__codec_use *use,
                                        struct stile__codec_io *io)
{
    bool any = false;
    io->value = STILE_STR_NULL;
    io->items = NULL;
    io->item_count = 0;
    io->row = NULL;
    io->missed = false;
    io->warning = RUN_NONE;
    for (size_t i = 0; i < io->count; i++) {
        if (is_blank(use, io->cells[i])) {
            io->cells[i] = STILE_STR_NULL;
        } else {
            any = true;
        }
    }
    return any ? use->codec->right(use, io) : RUN_NONE;
}

enum stile__run_code stile__codec_left(const struct stile__codec_use *use,
                                       struct stile__codec_io *io)
{
    io->row = NULL;
    io->missed = false;
    io->warning = RUN_NONE;
    for (size_t i = 0; i < io->count; i++) {
        io->cells[i] = STILE_STR_NULL;
    }
    if (use->codec->left == NULL) {
        return RUN_NONE;
    }
    if (io->value.len == 0 && io->item_count == 0) {
        if (use->table != NULL && use->table->absent != NULL) {
            io->row = use->table->absent;
            io->cells[0] = io->row->left;
        }
        return RUN_NONE;
    }
    return use->codec->left(use, io);
}

static const struct {
    const char *name;
    enum stile_severity severity;
    const char *text;
} run_codes[] = {
#define X(code, text, severity) {#code, STILE_##severity, text},
    STILE_MAP_RUN_CODES(X)
#undef X
};

const char *stile__run_code_name(enum stile__run_code code)
{
    return run_codes[code].name;
}

enum stile_severity stile__run_code_severity(enum stile__run_code code)
{
    return run_codes[code].severity;
}

const char *stile__run_code_text(enum stile__run_code code)
{
    return run_codes[code].text;
}
