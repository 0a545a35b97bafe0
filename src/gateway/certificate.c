/*
 * The two facts of a certificate that stile.yaml needs: its fingerprint and
 * its last day. PEM is RFC 7468; the walk to notAfter is RFC 5280 section
 * 4.1: Certificate -> TBSCertificate -> version, serialNumber, signature,
 * issuer, validity. Trust is net's work; nothing here decides it.
 */
#include "stile/gateway.h"

struct der {
    uint8_t tag;
    struct stile_str content;
};

static uint8_t byte_at(struct stile_str s, size_t i)
{
    return (uint8_t)s.ptr[i];
}

/* X.690 section 8.1: cuts one element off *rest. Long tags are not in a
 * certificate's path. */
static bool der_next(struct stile_str *rest, struct der *ret)
{
    size_t len, head = 2;

    if (rest->len < 2) {
        return false;
    }
    len = byte_at(*rest, 1);
    if (len > 0x80) {
        size_t digits = len - 0x80;

        if (digits > 4 || rest->len < 2 + digits) {
            return false;
        }
        len = 0;
        for (size_t i = 0; i < digits; i++) {
            len = len << 8 | byte_at(*rest, 2 + i);
        }
        head += digits;
    } else if (len == 0x80) {
        return false;
    }
    if (len > rest->len - head) {
        return false;
    }
    ret->tag = byte_at(*rest, 0);
    ret->content = stile_str_sub(*rest, head, len);
    *rest = stile_str_sub(*rest, head + len, SIZE_MAX);
    return true;
}

static bool der_expect(struct stile_str *rest, uint8_t tag,
                       struct stile_str *ret)
{
    struct der element;

    if (!der_next(rest, &element) || element.tag != tag) {
        return false;
    }
    *ret = element.content;
    return true;
}

enum {
    DER_INTEGER = 0x02,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0
};

/* UTCTime YYMMDDHHMMSSZ, years 1950 to 2049; GeneralizedTime
 * YYYYMMDDHHMMSSZ (RFC 5280 section 4.1.2.5). */
static bool der_time(const struct der *element, stile_time *ret)
{
    char iso[21];
    struct stile_str text = element->content;
    const char *century = "";

    if (element->tag == DER_UTC_TIME && text.len == 13) {
        century = text.ptr[0] >= '5' ? "19" : "20";
    } else if (element->tag != DER_GENERALIZED_TIME || text.len != 15) {
        return false;
    }
    size_t at = text.len - 11; /* after the year */
    (void)snprintf(iso, sizeof(iso), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ",
                   century, (int)at, text.ptr, text.ptr + at, text.ptr + at + 2,
                   text.ptr + at + 4, text.ptr + at + 6, text.ptr + at + 8);
    return text.ptr[text.len - 1] == 'Z' &&
           stile_time_parse(stile_str_cstr(iso), ret);
}

static bool not_after(struct stile_str der, stile_time *ret)
{
    struct stile_str certificate, tbs, validity, skipped;
    struct der element;

    if (!der_expect(&der, DER_SEQUENCE, &certificate) || der.len != 0 ||
        !der_expect(&certificate, DER_SEQUENCE, &tbs)) {
        return false;
    }
    if (tbs.len > 0 && byte_at(tbs, 0) == DER_VERSION &&
        !der_next(&tbs, &element)) {
        return false;
    }
    return der_expect(&tbs, DER_INTEGER, &skipped) &&
           der_expect(&tbs, DER_SEQUENCE, &skipped) &&
           der_expect(&tbs, DER_SEQUENCE, &skipped) &&
           der_expect(&tbs, DER_SEQUENCE, &validity) &&
           der_next(&validity, &element) && der_next(&validity, &element) &&
           der_time(&element, ret);
}

/* The base64 between the first pair of lines, without its white space. */
static bool pem_body(struct stile_str pem, struct stile_buf *out)
{
    struct stile_str begin = STILE_STR("-----BEGIN CERTIFICATE-----");
    struct stile_str end = STILE_STR("-----END CERTIFICATE-----");
    size_t from = stile_str_find_str(pem, begin);
    size_t to;

    if (from == SIZE_MAX) {
        return false;
    }
    pem = stile_str_sub(pem, from + begin.len, SIZE_MAX);
    to = stile_str_find_str(pem, end);
    if (to == SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < to; i++) {
        if (pem.ptr[i] != '\n' && pem.ptr[i] != '\r' && pem.ptr[i] != ' ' &&
            pem.ptr[i] != '\t') {
            stile_buf_byte(out, pem.ptr[i]);
        }
    }
    return out->status == STILE_OK;
}

/* A certificate is a few KiB; this leaves room for large chains' leaves. */
#define CERTIFICATE_MAX (1u << 20)

enum stile_status stile_certificate_read(struct stile_str pem,
                                         struct stile_digest *ret_digest,
                                         stile_time *ret_not_after)
{
    struct stile_buf text, der;
    enum stile_status status = STILE_INVALID;
    stile_time until;

    stile_buf_init(&text, CERTIFICATE_MAX);
    stile_buf_init(&der, CERTIFICATE_MAX);
    if (pem_body(pem, &text) &&
        stile_base64_decode(&der, stile_buf_str(&text)) &&
        not_after(stile_buf_str(&der), &until)) {
        stile_sha256(stile_buf_str(&der), ret_digest);
        *ret_not_after = until;
        status = STILE_OK;
    }
    stile_buf_release(&text);
    stile_buf_release(&der);
    return status;
}
