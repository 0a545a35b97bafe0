#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tls.h"

#define GROUPS_DEFAULT "X25519MLKEM768:X25519:P-256"

/* ---- files ---- */

static enum stile_status read_file(const char *path, bool secret,
                                   struct stile_buf *into,
                                   struct stile_arena *arena,
                                   struct stile_str *ret_error)
{
    char part[4096];
    struct stat facts;
    enum stile_status status = STILE_OK;
    FILE *file = fopen(path, "rb");
    stile_buf_init(into, STILE__PEM_MAX);
    if (!file) {
        *ret_error = stile_arena_printf(
            arena, "%s: cannot be opened: check the path and its mode", path);
        return STILE_IO;
    }
    if (secret && (fstat(fileno(file), &facts) != 0 ||
                   (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)) {
        *ret_error = stile_arena_printf(
            arena, "%s: others may read this key: chmod 600 it", path);
        (void)fclose(file);
        return STILE_DENIED;
    }
    size_t got = 0;
    while ((got = fread(part, 1, sizeof part, file)) > 0) {
        stile_buf_add(into, (struct stile_str){part, got});
    }
    if (ferror(file)) {
        *ret_error = stile_arena_printf(
            arena, "%s: reading failed: check the file", path);
        status = STILE_IO;
    } else if (into->status != STILE_OK) {
        *ret_error = stile_arena_printf(
            arena, "%s: is larger than %zu bytes: give the PEM file", path,
            STILE__PEM_MAX);
        status = into->status;
    }
    stile_wipe(part, sizeof part);
    (void)fclose(file);
    return status;
}

enum stile_status stile__pem_read(const struct stile_tls_files *files,
                                  struct stile__pem *pem,
                                  struct stile_arena *arena,
                                  struct stile_str *ret_error)
{
    *pem = (struct stile__pem){0};
    if (!files->certificate || !files->key || !files->trust) {
        *ret_error = STILE_STR("a certificate, a key and a trust file are "
                               "needed: name all three");
        return STILE_INVALID;
    }
    enum stile_status status = read_file(files->certificate, false,
                                         &pem->certificate, arena, ret_error);
    if (status == STILE_OK) {
        status = read_file(files->key, true, &pem->key, arena, ret_error);
    }
    if (status == STILE_OK) {
        status = read_file(files->trust, false, &pem->trust, arena, ret_error);
    }
    if (status == STILE_OK && files->crl) {
        status = read_file(files->crl, false, &pem->crl, arena, ret_error);
    }
    if (status != STILE_OK) {
        stile__pem_release(pem);
    }
    return status;
}

void stile__pem_release(struct stile__pem *pem)
{
    stile_buf_release(&pem->certificate);
    stile_buf_release(&pem->key);
    stile_buf_release(&pem->trust);
    stile_buf_release(&pem->crl);
}

/* ---- from PEM ---- */

/* Never asks a terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static BIO *pem_bio(const struct stile_buf *buf)
{
    return BIO_new_mem_buf(buf->ptr ? buf->ptr : "", (int)buf->len);
}

/* After a PEM loop: the end of the file, or something else? */
static bool at_pem_end(void)
{
    unsigned long error = ERR_peek_last_error();
    bool end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
               ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return end;
}

static bool load_chain(struct stile_identity *identity,
                       const struct stile_buf *buf)
{
    BIO *bio = pem_bio(buf);
    X509 *next = NULL;
    bool good = bio != NULL;
    if (good) {
        identity->certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, 0);
        identity->chain = sk_X509_new_null();
        good = identity->certificate && identity->chain;
    }
    while (good && (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        if (sk_X509_push(identity->chain, next) == 0) {
            X509_free(next);
            good = false;
        }
    }
    good = good && at_pem_end();
    BIO_free(bio);
    return good;
}

static bool load_trust(struct stile_identity *identity,
                       const struct stile_buf *buf)
{
    BIO *bio = pem_bio(buf);
    X509 *ca = NULL;
    size_t count = 0;
    identity->store = X509_STORE_new();
    identity->names = sk_X509_NAME_new_null();
    bool good = bio && identity->store && identity->names;
    while (good && (ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));
        good = name && X509_STORE_add_cert(identity->store, ca) == 1 &&
               sk_X509_NAME_push(identity->names, name) > 0;
        if (!good) {
            X509_NAME_free(name);
        }
        X509_free(ca);
        count++;
    }
    good = good && at_pem_end() && count > 0;
    BIO_free(bio);
    return good;
}

/* `now` in whole seconds, as X509_cmp_time wants it. */
static time_t seconds(stile_time now)
{
    return (time_t)(now / STILE_SECOND);
}

enum crl_state {
    CRL_GOOD,
    CRL_BROKEN,
    CRL_OLD
};

static enum crl_state load_crl(struct stile_identity *identity,
                               const struct stile_buf *buf, stile_time now)
{
    BIO *bio = pem_bio(buf);
    X509_CRL *crl = NULL;
    size_t count = 0;
    time_t moment = seconds(now);
    bool good = bio != NULL, old = false;
    while (good &&
           (crl = PEM_read_bio_X509_CRL(bio, NULL, no_passphrase, NULL))) {
        const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
        old = old || !next || X509_cmp_time(next, &moment) <= 0;
        good = X509_STORE_add_crl(identity->store, crl) == 1;
        X509_CRL_free(crl);
        count++;
    }
    good = good && at_pem_end() && count > 0 &&
           X509_STORE_set_flags(identity->store, X509_V_FLAG_CRL_CHECK |
                                                     X509_V_FLAG_CRL_CHECK_ALL);
    BIO_free(bio);
    return !good ? CRL_BROKEN : old ? CRL_OLD : CRL_GOOD;
}

/* ---- groups ---- */

/* Keeps the groups this OpenSSL knows, in their order. */
static bool load_groups(struct stile_identity *identity, const char *wanted)
{
    struct stile_str rest = stile_str_cstr(wanted ? wanted : GROUPS_DEFAULT);
    struct stile_str name;
    struct stile_buf known;
    SSL_CTX *probe = SSL_CTX_new(TLS_server_method());
    stile_buf_init(&known, 1024);
    while (probe && stile_str_next(&rest, ':', &name)) {
        char one[64];
        if (name.len == 0 || name.len >= sizeof one) {
            continue;
        }
        memcpy(one, name.ptr, name.len);
        one[name.len] = '\0';
        if (SSL_CTX_set1_groups_list(probe, one) == 1) {
            stile_buf_addc(&known, known.len > 0 ? ":" : "");
            stile_buf_add(&known, name);
            if (strstr(one, "MLKEM")) {
                identity->post_quantum = true;
            }
        }
    }
    SSL_CTX_free(probe);
    ERR_clear_error();
    stile_buf_byte(&known, '\0');
    if (known.status == STILE_OK && known.len > 1) {
        identity->groups = malloc(known.len);
        if (identity->groups) {
            memcpy(identity->groups, known.ptr, known.len);
        }
    }
    stile_buf_release(&known);
    return identity->groups != NULL;
}

/* ---- facts ---- */

static bool read_facts(struct stile_identity *identity,
                       const struct stile__pem *pem)
{
    const ASN1_TIME *after = X509_get0_notAfter(identity->certificate);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, rest = 0;
    unsigned len = 0;
    bool good = epoch && ASN1_TIME_diff(&days, &rest, epoch, after) == 1 &&
                X509_digest(identity->certificate, EVP_sha256(),
                            identity->fingerprint.bytes, &len) == 1 &&
                len == sizeof identity->fingerprint.bytes;
    ASN1_TIME_free(epoch);
    if (!good) {
        return false;
    }
    identity->expires = ((stile_time)days * 86400 + rest) * STILE_SECOND;
    struct stile_sha256 *sha = stile_sha256_new();
    if (!sha) {
        return false;
    }
    stile_sha256_add(sha, stile_buf_str(&pem->trust));
    stile_sha256_add(sha, STILE_STR("crl"));
    stile_sha256_add(sha, stile_buf_str(&pem->crl));
    stile_sha256_done(sha, &identity->trust);
    stile_sha256_free(&sha);
    return true;
}

static const char *load(struct stile_identity *identity,
                        const struct stile_tls_files *files,
                        const struct stile__pem *pem, stile_time now,
                        const char **ret_file)
{
    time_t moment = seconds(now);
    *ret_file = files->certificate;
    if (!load_chain(identity, &pem->certificate)) {
        return "is not a PEM certificate chain: give the leaf first";
    }
    if (X509_cmp_time(X509_get0_notBefore(identity->certificate), &moment) >
        0) {
        return "is not valid yet: check the clock or the certificate";
    }
    if (X509_cmp_time(X509_get0_notAfter(identity->certificate), &moment) <=
        0) {
        return "has expired: renew the certificate";
    }
    *ret_file = files->key;
    BIO *bio = pem_bio(&pem->key);
    identity->key =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    if (!identity->key) {
        return "is not a PEM private key without passphrase: give one";
    }
    if (X509_check_private_key(identity->certificate, identity->key) != 1) {
        return "does not belong to the certificate: give the matching key";
    }
    *ret_file = files->trust;
    if (!load_trust(identity, &pem->trust)) {
        return "is not a bundle of PEM CA certificates: give one";
    }
    if (files->crl) {
        *ret_file = files->crl;
        switch (load_crl(identity, &pem->crl, now)) {
        case CRL_GOOD:
            break;
        case CRL_BROKEN:
            return "is not a list of PEM CRLs: fetch it again";
        case CRL_OLD:
            return "is past its nextUpdate: fetch a new one";
        }
    }
    *ret_file = files->certificate;
    if (!load_groups(identity, files->groups)) {
        return "no TLS group of its list is known here: add P-256";
    }
    return read_facts(identity, pem) ? NULL : "cannot be read: check it";
}

enum stile_status stile_identity_load(const struct stile_tls_files *files,
                                      stile_time now, struct stile_arena *arena,
                                      struct stile_identity **ret,
                                      struct stile_str *ret_error)
{
    struct stile__pem pem;
    struct stile_str error = STILE_STR_NULL;
    enum stile_status status = stile__pem_read(files, &pem, arena, &error);
    if (status != STILE_OK) {
        *ret_error = error;
        return status;
    }
    struct stile_identity *identity = calloc(1, sizeof *identity);
    if (!identity) {
        stile__pem_release(&pem);
        *ret_error = STILE_STR("memory is short: free some and try again");
        return STILE_NOMEM;
    }
    identity->references = 1;
    ERR_clear_error();
    const char *file = NULL;
    const char *wrong = load(identity, files, &pem, now, &file);
    ERR_clear_error();
    stile__pem_release(&pem);
    if (wrong) {
        *ret_error = stile_arena_printf(arena, "%s: %s", file, wrong);
        stile_identity_free(&identity);
        return STILE_INVALID;
    }
    *ret = identity;
    return STILE_OK;
}

struct stile_identity *stile__identity_ref(struct stile_identity *identity)
{
    identity->references++;
    return identity;
}

void stile_identity_free(struct stile_identity **identity)
{
    struct stile_identity *gone = *identity;
    *identity = NULL;
    if (!gone || --gone->references > 0) {
        return;
    }
    X509_free(gone->certificate);
    sk_X509_pop_free(gone->chain, X509_free);
    EVP_PKEY_free(gone->key);
    X509_STORE_free(gone->store);
    sk_X509_NAME_pop_free(gone->names, X509_NAME_free);
    free(gone->groups);
    free(gone);
}

stile_time stile_identity_expires(const struct stile_identity *identity)
{
    return identity->expires;
}

struct stile_digest
stile_identity_fingerprint(const struct stile_identity *identity)
{
    return identity->fingerprint;
}

bool stile_identity_post_quantum(const struct stile_identity *identity)
{
    return identity->post_quantum;
}
