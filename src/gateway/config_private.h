/* Shared by the files that read and check stile.yaml. */
#ifndef STILE_CONFIG_PRIVATE_H
#define STILE_CONFIG_PRIVATE_H

#include "stile/gateway.h"

/* Findings of stile.yaml: code, and what to do about it. The message says
 * what is wrong first. Y1xx and Y2xx (YAML, unknown or missing keys) come
 * from doc. */
#define STILE_CONFIG_LIST(X)                                                   \
    X(C101, "check the path and its permissions")                              \
    X(C102, "write a whole number in the range")                               \
    X(C103, "write a time such as 500ms, 5s, 30m, 12h or 3d in the range")     \
    X(C104, "write a size such as 8192, 64KiB, 8MiB or 1GiB in the range")     \
    X(C105, "write a numeric address and a port, as 127.0.0.1:8443 or "        \
            "[::1]:8443")                                                      \
    X(C106, "use up to 64 of a-z, 0-9 and '-', beginning with a letter")       \
    X(C107, "give every partner, feed and route a name of its own")            \
    X(C108, "write the organisation's ODS code in capital letters and digits") \
    X(C109, "write https://host or https://host:port, with a path if it has "  \
            "one and without user or query")                                   \
    X(C110, "write sha256// and the base64 of the SHA-256 of the public key")  \
    X(C111, "give a PEM file with the certificate, or sha256: and the 64 hex " \
            "digits of its fingerprint")                                       \
    X(C112, "give each partner a certificate of its own, or a sender could "   \
            "be taken for another")                                            \
    X(C113, "use one of the words")                                            \
    X(C114, "name a partner or a feed of this file")                           \
    X(C115, "name a partner of this file")                                     \
    X(C116, "name a format that stile can write")                              \
    X(C117, "an own system needs a folder to write to, or a url")              \
    X(C118, "own-system is for systems of this organisation; use its kind of " \
            "organisation instead, so that sharing is governed")               \
    X(C119, "add url: https://host:port, where it receives")                   \
    X(C120, "add certificate:, by which it is known when it connects")         \
    X(C121, "add purpose:, since what leaves the organisation needs one")      \
    X(C122, "add agreement:, the id of the sharing agreement it goes under")   \
    X(C123, "check the path and its permissions")                              \
    X(C124, "keep it on 127.0.0.1 unless the network around it is private: "   \
            "it is plain HTTP without a login")                                \
    X(C125, "let least be at most most, and most at most give-up")             \
    X(C126, "send it to another partner, or remove the route")                 \
    X(C127, "add a route, or remove it")                                       \
    X(C128, "name a purpose that the rules know")                              \
    X(C129, "name an agreement of mappings/rules/agreements.yaml")             \
    X(C130, "make the folder, and let the gateway's user read and write it")   \
    X(C131, "renew it and put the new file in its place")                      \
    X(C132, "mend the certificate files named here")                           \
    X(C133, "mend the audit key")                                              \
    X(C134, "give a larger number, so that the order of sizes holds")          \
    X(C135, "give the two a port each")                                        \
    X(C136, "correct the one that is wrong, or name the agreement these two "  \
            "have with each other")                                            \
    X(C137, "add officers: officers.yaml, the file that says who may do it")   \
    X(C138, "name the officers of the organisation that runs this gateway")    \
    X(C139, "see 'stile rules status -c' for what is missing")

enum stile__config_code {
#define X(code, next) STILE__##code,
    STILE_CONFIG_LIST(X)
#undef X
};

struct stile__reader {
    struct stile_config *config;
    struct stile_arena *arena;
    struct stile_diags *diags;
};

/* "<what>: <what to do>" at the node; returns it for a hint. */
struct stile_diag *
stile__config_find(struct stile__reader *reader, const struct stile_node *node,
                   enum stile__config_code code, enum stile_severity severity,
                   const char *format, ...) STILE_PRINTF(5, 6);
/* A finding about a file that could not be opened: it has no line. */
void stile__config_file_find(struct stile_diags *diags, const char *code,
                             const char *path, struct stile_str message);

/* ---- values: each reports what is wrong and then keeps *ret ----------------
 */

void stile__config_number(struct stile__reader *reader,
                          const struct stile_node *node, uint64_t least,
                          uint64_t most, uint64_t *ret);
void stile__config_bytes(struct stile__reader *reader,
                         const struct stile_node *node, uint64_t least,
                         uint64_t most, uint64_t *ret);
/* Microseconds, from `least` to `most`. */
void stile__config_duration(struct stile__reader *reader,
                            const struct stile_node *node, stile_time least,
                            stile_time most, stile_time *ret);
void stile__config_address(struct stile__reader *reader,
                           const struct stile_node *node, const char **ret_host,
                           int *ret_port);
void stile__config_name(struct stile__reader *reader,
                        const struct stile_node *node, struct stile_str *ret);
void stile__config_ods(struct stile__reader *reader,
                       const struct stile_node *node, struct stile_str *ret);
void stile__config_url(struct stile__reader *reader,
                       const struct stile_node *node, const char **ret);
void stile__config_pin(struct stile__reader *reader,
                       const struct stile_node *node, const char **ret);
/* Joined with the config's folder. */
void stile__config_path(struct stile__reader *reader,
                        const struct stile_node *node, const char **ret);
/* The same, and the file must open for reading. */
void stile__config_file(struct stile__reader *reader,
                        const struct stile_node *node, const char **ret);
/* Index of the word, or SIZE_MAX and a finding with the nearest. */
size_t stile__config_word(struct stile__reader *reader,
                          const struct stile_node *node, const char *what,
                          const struct stile_str *words, size_t count);
/* Texts and PEM files, one or a list. */
void stile__config_certificates(struct stile__reader *reader,
                                const struct stile_node *node,
                                struct stile_partner_config *partner);

/* ---- parts ---- */

/* stile.yaml's text into `config`; false when there is no document at all. */
STILE_MUSTCHECK bool stile__config_read(const char *path,
                                        struct stile_arena *arena,
                                        struct stile_diags *diags,
                                        struct stile_config *config);
void stile__config_limits(struct stile__reader *reader,
                          const struct stile_node *map);
/* What must hold between the parts of the file. */
void stile__config_cross(struct stile__reader *reader);
/* What must hold between the file and the world. */
void stile__config_world(struct stile__reader *reader, stile_time now);
/* The i-th map of a list of the document: "routes", 2. */
const struct stile_node *stile__config_item(const struct stile_config *config,
                                            const char *list, size_t i);

/* ---- rule files (rules_pack.c) ---- */

struct stile__rule_file {
    struct stile_str name; /* "agreements.yaml", "labels/self-harm.csv" */
    enum stile_rule_file kind;
    struct stile_source source;
};
struct stile__rule_files {
    struct stile__rule_file *items;
    size_t count;
};
/* False: it is in the findings, or the arena has failed. */
STILE_MUSTCHECK bool stile__rules_read_folder(const char *folder,
                                              struct stile_arena *arena,
                                              struct stile_diags *diags,
                                              struct stile__rule_files *ret);
STILE_MUSTCHECK bool stile__rules_unpack(struct stile_str packed,
                                         struct stile_arena *arena,
                                         struct stile__rule_files *ret);
/* NULL: it is in the findings, or the arena has failed. */
const struct stile_rules *
stile__rules_compile(const struct stile__rule_files *files,
                     struct stile_date today, struct stile_arena *arena,
                     struct stile_diags *diags);

#endif
