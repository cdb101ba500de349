/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: the alarms, which of them were sent, and what waits to be sent. It is kept on the
 * disk, so that no entry is lost or sent twice after a restart. An alarm counts as begun or ended
 * when two looks at the status in a row agree. Pure but for its file. The number of waiting texts
 * is bounded: the oldest is dropped and counted.
 */
#ifndef SEKISHO_MGMT_NOTIFY_LEDGER_H
#define SEKISHO_MGMT_NOTIFY_LEDGER_H

#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"

#define LEDGER_WAITING_MOST 200u

struct ledger {
	/* {"after","mark","mark_hash","sent","number","serial","dropped",
 *  "alarms":[...],"waiting":[...]} */
	json_t *all;
	bool changed;
	uint64_t generation; /* the generation in force at the last look; 0 = not known */
};

/* Reads the ledger from its file; makes a new one if there is no readable one (*ret_new). 0 or
 * -ENOMEM. */
int ledger_open(int dirfd, struct ledger *ret, bool *ret_new);
/* Saves the ledger if it has changed. 0 or negative errno. */
int ledger_save(int dirfd, struct ledger *l, struct err *e);

/* Takes the alarms of one look (mgmt/state/alarms.h). `now`: the time by the box's clock, with "Z"
 * at its end. */
void ledger_look(struct ledger *l, const json_t *alarms, const char *now);
/* Sets the generation in force. From now on, its number is told with every alarm that begins or
 * ends. */
void ledger_generation(struct ledger *l, uint64_t number);
/* Adds a serious record, as sentences in both languages. */
void ledger_record(struct ledger *l, uint64_t seq, const char *when, const char *en, const char *ja);
/* Gets and sets the number of the last record that was read. */
uint64_t ledger_after(const struct ledger *l);
void ledger_set_after(struct ledger *l, uint64_t seq);
/* Number of the record by whose hash a later look recognises that the records are still the same:
 * the last serious one up to `after`, or another one if there was none. 0 = none. */
uint64_t ledger_mark(const struct ledger *l);
/* The hash of the record ledger_mark(); "" = none. */
const char *ledger_mark_hash(const struct ledger *l);
void ledger_set_mark(struct ledger *l, uint64_t seq, const char *hash);

size_t ledger_waiting(const struct ledger *l);
uint64_t ledger_dropped(const struct ledger *l);
/* The number of the next mail, and when the last one was sent (seconds since 1970, 0 = never). */
uint64_t ledger_number(const struct ledger *l);
uint64_t ledger_sent_s(const struct ledger *l);
/* The text and the subject of a mail with everything that waits, in both languages; the caller
 * frees them. NULL = no memory. */
char *ledger_text(const struct ledger *l, enum lang lang, const char *contact);
char *ledger_subject(const struct ledger *l, enum lang lang, const char *site);
/*
 * The n-th waiting entry, oldest first:
 * {"what":"begin"|"end"|"record","key","grave","when","en","ja","generation","serial","contacts"};
 * NULL = there is none. An entry keeps its serial, and none is used twice, so a receiver recognises
 * repetitions and dropped entries. ledger_first_told: only the first entry was sent.
 */
const json_t *ledger_at(const struct ledger *l, size_t n);
void ledger_first_told(struct ledger *l, uint64_t now_s);
/* To be called when everything that waited was sent. */
void ledger_told(struct ledger *l, uint64_t now_s);

#endif
