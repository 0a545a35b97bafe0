/*
 * sqlite_sql.h - every statement the SQLite maker runs, in one list, prepared
 * once at open. States are the numbers of enum stile_row_state; sqlite_open.c
 * asserts that they do not move.
 *   2, 4, 7  done, refused, withdrawn: final
 *   0, 3, 5  queued, deferred, unknown: may be claimed
 */
#ifndef STILE_STORE_SQLITE_SQL_H
#define STILE_STORE_SQLITE_SQL_H

#define ROW_COLUMNS                                                            \
    "o.id, o.route, o.partner, o.format, o.media_type, o.lane, o.key, "        \
    "o.message_id, o.rules, o.epoch, o.state, o.attempts, o.queued_at, "       \
    "o.due, o.reason, coalesce(m.person, '')"
#define REVIEW_COLUMNS                                                         \
    "id, state, route, partner, person, message_id, feed, feed_person, "       \
    "since, ended_at, reason, act"
#define REVIEW_ITEM_COLUMNS                                                    \
    "r.id, r.route, r.state, i.n, i.type, i.id, i.digest, i.data, i.rules, "   \
    "i.word, i.changed FROM review r JOIN review_item i ON i.review = r.id"
#define MIRROR_COLUMNS "tbl, key, person, cells, ord, deleted, batch"

#define SQL_LIST(X)                                                            \
    X(BEGIN, "BEGIN IMMEDIATE")                                                \
    X(COMMIT, "COMMIT")                                                        \
    X(ROLLBACK, "ROLLBACK")                                                    \
    X(SAVE, "SAVEPOINT one")                                                   \
    X(RELEASE, "RELEASE one")                                                  \
    X(BACK, "ROLLBACK TO one")                                                 \
    X(VERSION, "PRAGMA data_version")                                          \
    X(STATE_GET, "SELECT size, edge, mark, epoch, counts FROM state")          \
    X(STATE_PUT, "UPDATE state SET size = ?1, edge = ?2, mark = ?3, "          \
                 "epoch = ?4, counts = ?5")                                    \
    /* accept */                                                               \
    X(DEDUPE_GET, "SELECT digest, answer_status, answer_body FROM dedupe "     \
                  "WHERE source = ?1 AND key = ?2")                            \
    X(DEDUPE_PUT, "INSERT INTO dedupe VALUES (?1, ?2, ?3, ?4, ?5, ?6)")        \
    X(MESSAGE_FIND, "SELECT person, body FROM message WHERE id = ?1")          \
    X(MESSAGE_PUT, "INSERT INTO message (id, person, body, open) "             \
                   "VALUES (?1, ?2, ?3, 0)")                                   \
    X(MESSAGE_USE, "UPDATE message SET open = open + 1 WHERE id = ?1")         \
    X(MESSAGE_LEAVE, "UPDATE message SET open = open - 1 WHERE id = ?1")       \
    X(MESSAGE_DROP, "DELETE FROM message WHERE id = ?1 AND open = 0")          \
    X(ROW_PUT,                                                                 \
      "INSERT INTO outbox (key, route, partner, format, media_type, lane, "    \
      "message_id, rules, epoch, state, ready, attempts, queued_at, due, "     \
      "ended_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, "      \
      "NOT EXISTS (SELECT 1 FROM outbox WHERE lane = ?6 AND lane <> '' AND "   \
      "state NOT IN (2, 4, 7)), 0, ?10, ?11, 0, '') "                          \
      "ON CONFLICT (key) DO NOTHING")                                          \
    X(BODY_PUT, "INSERT OR REPLACE INTO outbox_body VALUES (?1, ?2)")          \
    X(BODY_DROP, "DELETE FROM outbox_body WHERE id = ?1")                      \
    X(FACT_GET,                                                                \
      "SELECT value, date, starts, ends FROM fact WHERE "                      \
      "person = ?1 AND name = ?2 AND recipient = ?3 AND source = ?4")          \
    X(FACT_PUT, "INSERT OR REPLACE INTO fact VALUES (?1, ?2, ?3, ?4, ?5, "     \
                "?6, ?7, ?8)")                                                 \
    X(EPOCH_ADD, "INSERT INTO person VALUES (?1, 1) ON CONFLICT (person) "     \
                 "DO UPDATE SET epoch = epoch + 1")                            \
    X(SENT_PUT, "INSERT OR REPLACE INTO sent VALUES (?1, ?2, ?3, ?4, ?5)")     \
    X(SENT_DROP, "DELETE FROM sent WHERE person = ?1 AND route = ?2 AND "      \
                 "type = ?3 AND id = ?4")                                      \
    X(SENT_DOUBT, "UPDATE sent SET digest = ?2 WHERE route = (SELECT route "   \
                  "FROM outbox WHERE id = ?1) AND person = (SELECT "           \
                  "message.person FROM outbox JOIN message ON message.id = "   \
                  "outbox.message_id WHERE outbox.id = ?1)")                   \
    X(QUARANTINE_PUT, "INSERT INTO quarantine (source, name, row, reason, "    \
                      "bytes, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")            \
    X(HELD_AGE, "SELECT since FROM held WHERE feed = ?1 AND person = ?2 AND "  \
                "tbl = ?3 AND key = ?4 AND missing = ?5 AND stale = 1")        \
    X(HELD_STALE, "UPDATE held SET stale = 1 WHERE feed = ?1 AND person = ?2") \
    X(HELD_DROP, "DELETE FROM held WHERE feed = ?1 AND person = ?2 AND "       \
                 "stale = 1")                                                  \
    X(HELD_PUT, "INSERT INTO held (feed, person, tbl, key, missing, reason, "  \
                "since, stale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)")        \
    X(DIRTY_CLEAR, "DELETE FROM dirty WHERE feed = ?1 AND person = ?2 AND "    \
                   "mark <= ?3")                                               \
    X(AUDIT_PUT, "INSERT INTO audit VALUES (?1, ?2, ?3)")                      \
    /* delivery */                                                             \
    X(DUE, "SELECT id FROM outbox WHERE ready = 1 AND partner = ?1 AND "       \
           "due <= ?2 ORDER BY due, id LIMIT ?3")                              \
    X(ROW_GET, "SELECT " ROW_COLUMNS ", coalesce(b.body, x'') FROM outbox o "  \
               "LEFT JOIN outbox_body b ON b.id = o.id "                       \
               "LEFT JOIN message m ON m.id = o.message_id WHERE o.id = ?1")   \
    X(ROW_SEND, "UPDATE outbox SET state = 1, ready = 0, "                     \
                "attempts = attempts + 1 WHERE id = ?1")                       \
    X(ROW_STATE, "SELECT state, lane, message_id FROM outbox WHERE id = ?1")   \
    X(ROW_MOVE, "UPDATE outbox SET state = ?2, ready = ?3, due = ?4, "         \
                "ended_at = ?5, reason = ?6 WHERE id = ?1")                    \
    X(ROW_AGAIN, "UPDATE outbox SET rules = ?2, epoch = ?3 WHERE id = ?1")     \
    X(ROW_KEY, "UPDATE OR IGNORE outbox SET key = ?2 WHERE id = ?1")           \
    X(LANE_NEXT,                                                               \
      "UPDATE outbox SET ready = 1 WHERE id = (SELECT min(id) FROM outbox "    \
      "WHERE lane = ?1 AND lane <> '' AND state NOT IN (2, 4, 7)) AND "        \
      "state IN (0, 3, 5)")                                                    \
    X(RECOVER, "UPDATE outbox SET state = 5, ready = 1, due = ?1, "            \
               "reason = 'the gateway stopped while sending' "                 \
               "WHERE state NOT IN (2, 4, 7) AND state = 1")                   \
    X(RETRY_IDS, "SELECT id, state FROM outbox WHERE "                         \
                 "state NOT IN (2, 4, 7) AND state IN (3, 5, 6) ORDER BY id")  \
    X(RETRY_PARKED, "UPDATE outbox SET state = 0, ready = 1, due = ?2, "       \
                    "queued_at = ?2 WHERE id = ?1")                            \
    X(RETRY_DUE, "UPDATE outbox SET due = ?2 WHERE id = ?1")                   \
    X(LIST_OPEN,                                                               \
      "SELECT " ROW_COLUMNS " FROM outbox o LEFT JOIN message m ON "           \
      "m.id = o.message_id WHERE o.state NOT IN (2, 4, 7) "                    \
      "ORDER BY o.id LIMIT ?1")                                                \
    X(LIST_FINAL,                                                              \
      "SELECT " ROW_COLUMNS " FROM outbox o LEFT JOIN message m ON "           \
      "m.id = o.message_id WHERE o.state IN (2, 4, 7) "                        \
      "ORDER BY o.id DESC LIMIT ?1")                                           \
    X(OLDEST, "SELECT min(queued_at) FROM outbox WHERE "                       \
              "state NOT IN (2, 4, 7) AND state <> 6")                         \
    /* questions */                                                            \
    X(EPOCH, "SELECT epoch FROM person WHERE person = ?1")                     \
    X(FACTS, "SELECT name, recipient, source, value, date, starts, ends "      \
             "FROM fact WHERE person = ?1 ORDER BY name, recipient, source")   \
    X(SENT_ALL, "SELECT route, type, id, digest FROM sent WHERE "              \
                "person = ?1 ORDER BY route, type, id")                        \
    X(SENT_ROUTE, "SELECT route, type, id, digest FROM sent WHERE "            \
                  "person = ?1 AND route = ?2 ORDER BY type, id")              \
    X(QUARANTINED, "SELECT source, name, row, reason, bytes FROM quarantine "  \
                   "ORDER BY id DESC LIMIT ?1")                                \
    /* mirror */                                                               \
    X(MIRROR_FIND, "SELECT id, person, cells, batch, ord, deleted FROM "       \
                   "mirror WHERE feed = ?1 AND tbl = ?2 AND key = ?3")         \
    X(MIRROR_PUT, "INSERT INTO mirror (feed, tbl, key, person, cells, ord, "   \
                  "deleted, batch, mark) "                                     \
                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")               \
    X(MIRROR_SET, "UPDATE mirror SET person = ?2, cells = ?3, ord = ?4, "      \
                  "deleted = ?5, batch = ?6, mark = ?7 WHERE id = ?1")         \
    X(MIRROR_ORDER, "UPDATE mirror SET ord = ?2, batch = ?3, mark = ?4 "       \
                    "WHERE id = ?1")                                           \
    X(MIRROR_PERSON, "SELECT " MIRROR_COLUMNS " FROM mirror WHERE "            \
                     "feed = ?1 AND person = ?2 AND person <> '' "             \
                     "ORDER BY tbl, key")                                      \
    X(MIRROR_HOLDS, "SELECT DISTINCT person FROM mirror WHERE feed = ?1 AND "  \
                    "person <> '' AND deleted = 0 AND "                        \
                    "instr(CAST(cells AS TEXT), ?2) > 0 ORDER BY person")      \
    X(MIRROR_KEY, "SELECT " MIRROR_COLUMNS ", mark FROM mirror WHERE "         \
                  "feed = ?1 AND tbl = ?2 AND key = ?3")                       \
    X(MIRROR_CELL, "SELECT " MIRROR_COLUMNS ", mark FROM mirror WHERE "        \
                   "feed = ?1 AND tbl = ?2 AND key > ?3 AND key < ?4 "         \
                   "ORDER BY key LIMIT 1")                                     \
    X(DIRTY_AGAIN, "UPDATE dirty SET mark = ?3 WHERE feed = ?1 AND "           \
                   "person = ?2")                                              \
    X(DIRTY_PUT, "INSERT INTO dirty (feed, person, mark) "                     \
                 "VALUES (?1, ?2, ?3)")                                        \
    X(DIRTY, "SELECT person, mark FROM dirty WHERE feed = ?1 ORDER BY id "     \
             "LIMIT ?2")                                                       \
    X(WAITING, "SELECT DISTINCT person FROM held WHERE feed = ?1 AND "         \
               "missing IN (?2, ?3)")                                          \
    X(PERSONS, "SELECT DISTINCT person FROM mirror WHERE feed = ?1 AND "       \
               "person <> '' ORDER BY person")                                 \
    X(SHOWN, "SELECT plan FROM shown WHERE feed = ?1")                         \
    X(SHOWN_PUT, "INSERT OR REPLACE INTO shown VALUES (?1, ?2)")               \
    X(HELD, "SELECT feed, tbl, key, missing, reason, since FROM held "         \
            "ORDER BY since, id LIMIT ?1")                                     \
    X(BATCH_FIND, "SELECT id, finished_at FROM batch WHERE feed = ?1 AND "     \
                  "name = ?2")                                                 \
    X(BATCH_PUT, "INSERT INTO batch (feed, name, begun_at) "                   \
                 "VALUES (?1, ?2, ?3)")                                        \
    X(BATCH_END, "UPDATE batch SET finished_at = coalesce(finished_at, ?2) "   \
                 "WHERE id = ?1")                                              \
    /* audit */                                                                \
    X(SCAN, "SELECT entry, hash FROM audit WHERE idx >= ?1 ORDER BY idx")      \
    X(AUDIT_LAST, "SELECT coalesce(max(idx) + 1, 0) FROM audit")               \
    X(NOTE_LAST, "SELECT coalesce(max(size), -1) FROM checkpoint")             \
    X(NOTE_PUT, "INSERT INTO checkpoint VALUES (?1, ?2, ?3)")                  \
    X(NOTES, "SELECT note, size FROM checkpoint ORDER BY size")                \
    X(SALT_PUT, "INSERT OR IGNORE INTO secret VALUES ('salt', ?1)")            \
    X(SALT_GET, "SELECT value FROM secret WHERE name = 'salt'")                \
    /* rule sets */                                                            \
    X(SET_PUT, "INSERT OR IGNORE INTO rule_set VALUES (?1, ?2)")               \
    X(SET_GET, "SELECT files FROM rule_set WHERE digest = ?1")                 \
    X(STEP_PUT, "INSERT INTO rule_step (from_set, to_set, at, class, acts) "   \
                "VALUES (?1, ?2, ?3, ?4, ?5)")                                 \
    X(STEPS, "SELECT number, from_set, to_set, at, class, acts "               \
             "FROM rule_step ORDER BY number DESC LIMIT ?1")                   \
    X(APPROVE, "INSERT OR REPLACE INTO rule_approval "                         \
               "VALUES (?1, ?2, ?3, ?4, ?5)")                                  \
    X(APPROVALS, "SELECT subject, officer, because, at, signature "            \
                 "FROM rule_approval ORDER BY subject, officer")               \
    X(APPROVALS_DROP, "DELETE FROM rule_approval")                             \
    /* review */                                                               \
    X(REVIEW_PUT, "INSERT INTO review (state, route, partner, person, "        \
                  "message_id, feed, feed_person, since, ended_at, reason, "   \
                  "act) VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', '')")    \
    X(REVIEW_ITEM_PUT, "INSERT INTO review_item (review, n, type, id, "        \
                       "digest, data, rules, word, changed) "                  \
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)")            \
    X(REVIEW_GET, "SELECT state, message_id, feed, feed_person FROM review "   \
                  "WHERE id = ?1")                                             \
    X(REVIEW_END, "UPDATE review SET state = ?2, ended_at = ?3, reason = ?4, " \
                  "act = ?5 WHERE id = ?1")                                    \
    X(REVIEW_SEEN, "UPDATE review_item SET changed = 1 WHERE review IN "       \
                   "(SELECT id FROM review WHERE route = ?1 AND person = ?2 "  \
                   "AND state = 0) AND type = ?3 AND id = ?4 AND "             \
                   "digest <> ?5 AND word = 0")                                \
    X(REVIEW_ITEM_GET, "SELECT word, changed FROM review_item WHERE "          \
                       "review = ?1 AND n = ?2")                               \
    X(REVIEW_WORD, "UPDATE review_item SET word = ?3 WHERE review = ?1 AND "   \
                   "n = ?2")                                                   \
    X(REVIEWED, "SELECT " REVIEW_ITEM_COLUMNS " WHERE r.person = ?1 AND "      \
                "(r.state = 0 OR i.word <> 0) ORDER BY r.id, i.n")             \
    X(REVIEW_ITEMS, "SELECT " REVIEW_ITEM_COLUMNS " WHERE r.id = ?1 "          \
                    "ORDER BY i.n")                                            \
    X(REVIEW_WAITING, "SELECT " REVIEW_COLUMNS " FROM review WHERE "           \
                      "state = 0 AND (?1 = 0 OR id = ?1) "                     \
                      "ORDER BY since, id LIMIT ?2")                           \
    X(REVIEW_ENDED, "SELECT " REVIEW_COLUMNS " FROM review WHERE "             \
                    "state <> 0 AND (?1 = 0 OR id = ?1) "                      \
                    "ORDER BY ended_at DESC, id DESC LIMIT ?2")                \
    X(REVIEW_OLDEST, "SELECT count(*), coalesce(min(since), 0) FROM review "   \
                     "WHERE state = 0")                                        \
    X(SWEEP_REVIEWS,                                                           \
      "DELETE FROM review WHERE id IN (SELECT id FROM review AS r WHERE "      \
      "state <> 0 AND ended_at < ?1 AND (feed = '' OR NOT EXISTS (SELECT 1 "   \
      "FROM review_item WHERE review = r.id AND word <> 0)) AND NOT EXISTS "   \
      "(SELECT 1 FROM message WHERE id = r.message_id) "                       \
      "ORDER BY ended_at, id LIMIT ?2)")                                       \
    /* retention */                                                            \
    X(SWEEP_DEDUPE, "DELETE FROM dedupe WHERE (source, key) IN (SELECT "       \
                    "source, key FROM dedupe WHERE at < ?1 ORDER BY at, "      \
                    "source, key LIMIT ?2)")                                   \
    X(SWEEP_ROWS, "SELECT id, state FROM outbox WHERE state IN (2, 4, 7) "     \
                  "AND ended_at < ?1 AND id < (SELECT max(id) FROM outbox) "   \
                  "ORDER BY ended_at, id LIMIT ?2")                            \
    X(ROW_DROP, "DELETE FROM outbox WHERE id = ?1")                            \
    X(SWEEP_QUARANTINE, "DELETE FROM quarantine WHERE id IN (SELECT id FROM "  \
                        "quarantine WHERE at < ?1 ORDER BY at, id LIMIT ?2)")

#endif
