/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which alarms there are, which were sent, and which wait to be sent: kept on the disk, so that a
 * restart neither forgets nor repeats any. An alarm begins and ends when two looks in a row agree.
 * Pure but for its file. Text that waits is bounded: the oldest goes first, and is counted.
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
	uint64_t generation; /* in force at the last look, 0 = not known */
};

/* From the folder's file; a new one where there is none, or none that can be read (*ret_new). 0
 * or -ENOMEM. */
int ledger_open(int dirfd, struct ledger *ret, bool *ret_new);
/* When it has changed. 0 or negative errno. */
int ledger_save(int dirfd, struct ledger *l, struct err *e);
void ledger_free(struct ledger *l);

/* One look: the alarms that there are now (mgmt/state/alarms.h), at this time of the box's
 * clock ("..Z"). */
void ledger_look(struct ledger *l, const json_t *alarms, const char *now);
/* The generation in force, which what begins or ends from now on is told with. */
void ledger_generation(struct ledger *l, uint64_t number);
/* A grave record, in sentences. */
void ledger_record(struct ledger *l, uint64_t seq, const char *when, const char *en, const char *ja);
/* The last record that was looked at; and putting it on. */
uint64_t ledger_after(const struct ledger *l);
void ledger_set_after(struct ledger *l, uint64_t seq);
/* A record by which it shows whether they are the same records still: the last grave one up to
 * `after`, or where there was none another. 0 = none. */
uint64_t ledger_mark(const struct ledger *l);
/* Its hash; "" = none. */
const char *ledger_mark_hash(const struct ledger *l);
void ledger_set_mark(struct ledger *l, uint64_t seq, const char *hash);

size_t ledger_waiting(const struct ledger *l);
uint64_t ledger_dropped(const struct ledger *l);
/* Number of the next mail, and when the last one went (seconds since 1970, 0 = none). */
uint64_t ledger_number(const struct ledger *l);
uint64_t ledger_sent_s(const struct ledger *l);
/* All that waits, as the text of a mail, and what it is about in both languages; the caller's to
 * free. NULL = no memory. */
char *ledger_text(const struct ledger *l, enum lang lang, const char *contact);
char *ledger_subject(const struct ledger *l, enum lang lang, const char *site);
/*
 * What waits, from the longest on:
 * {"what":"begin"|"end"|"record","key","grave","when","en","ja","generation","serial"}; NULL =
 * nothing. Its serial is its own for good, so that the same one told twice shows, and one that
 * found no room. And that the first one went, alone.
 */
const json_t *ledger_at(const struct ledger *l, size_t n);
void ledger_first_told(struct ledger *l, uint64_t now_s);
/* All of it went. */
void ledger_told(struct ledger *l, uint64_t now_s);

#endif
