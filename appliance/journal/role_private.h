/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role, for its own files alone:
 *
 *   role.c           start, loop, end
 *   flood.c          how many records a host or role may cause, and events in brief
 *   room.c           the disk: how full it is, its reserve, and what waits for room
 *   role_take.c      a record that comes in: its time, merging, sums
 *   role_write.c     lines, signatures over lines, and what waits while the disk is full
 *   role_keep.c      old files, and how full the disk is
 *   role_hold.c      legal holds, which keep files
 *   role_register.c  registers: when they are saved, and how
 *   role_device.c    the register of devices
 *   role_weak.c      servers with weak TLS
 *   role_clean.c     for how long conduits that observe had nothing to refuse
 *   role_attack.c    signs of attacks
 *   role_trends.c    counts by hour, for charts over time
 *   role_files.c     the files, for somebody who takes a copy or asks whether they are whole
 *   role_messages.c  messages and questions of the supervisor
 */
#ifndef SEKISHO_JOURNAL_ROLE_PRIVATE_H
#define SEKISHO_JOURNAL_ROLE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/journal/access.h"
#include "appliance/journal/attack.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/clean.h"
#include "appliance/journal/closed.h"
#include "appliance/journal/hold.h"
#include "appliance/journal/known.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/names.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_messages.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/room.h"
#include "appliance/journal/search.h"
#include "appliance/journal/share.h"
#include "appliance/journal/signer.h"
#include "appliance/journal/trends.h"
#include "appliance/journal/weak.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"

struct index;
struct pack;

#define SOURCES 48u
#define WHY sizeof(((struct err *)0)->text)
#define QUESTIONS 64u
/* ns until the next attempt, when the disk could not be written */
#define RETRY_NS 1000000000ull
/* ns until the next attempt, after a failure with closed files or for lack of room */
#define PACK_AGAIN_NS 600000000000ull

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct waiting {
	uint32_t id;
	struct msg_body body; /* EVENTS or EXPLAIN */
};

struct journal_role {
	struct journal chain;
	struct names names;
	struct merge merge;
	struct shares shares;
	struct source sources[SOURCES];
	size_t n_sources;
	struct waiting asked[QUESTIONS]; /* waiting questions, in order */
	size_t n_asked;
	struct journal_hearing hearing;
	uint64_t sync_at;    /* monotonic ns: latest time of the next sync; 0 = nothing to sync */
	uint64_t lost;	     /* records that other roles could not send */
	uint64_t malformed;  /* messages that are invalid, or not allowed for the role */
	uint64_t unwritable; /* records that are too large for a line */
	struct wait wait;
	struct reserve reserve;
	bool pressed; /* the disk cannot be written, or the reserve is incomplete: records wait */
	bool full;    /* they wait for lack of room, not because of a failure of the disk */
	uint64_t retry_at;
	struct disk disk;
	uint64_t disk_at;	/* monotonic ns: when the disk is looked at next */
	uint64_t records_bytes; /* bytes in the folder of the records */
	struct pack *pack;	/* the segment that is being packed, NULL = none */
	uint64_t pack_at;	/* monotonic ns: earliest time of the next packing */
	bool looked;		/* there was nothing to pack while looked_at was the open segment */
	uint64_t looked_at;
	struct index *index; /* the index that is being made for a closed segment; NULL = none */
	uint64_t index_at;   /* monotonic ns: earliest time of the next indexing */
	/* indexed_below: closed segments from this number on need no further work; 0 = none needs
	 * any. indexed_of: the open segment at that time */
	uint64_t indexed_below, indexed_of;
	uint8_t index_key[INDEX_KEY]; /* valid while there is a signing key */
	struct keep_rule rule;
	/* monotonic ns: when to look next whether the oldest file is to be deleted; 0 = there is no
	 * rule */
	uint64_t keep_at;
	/* monotonic ns: when to look next whether the open file is a day old; 0 = not set yet */
	uint64_t turn_at;
	uint64_t told_last; /* number of the last record whose deletion was recorded */
	bool told_signed;   /* the record of that deletion is signed */
	/* monotonic ns: the earliest time of the next deletion for room */
	uint64_t room_at;
	/* why the last round could not delete the oldest file or find out whether it is due; "" =
	 * the round had no error */
	char stuck[WHY];
	struct holds holds;
	bool held; /* a hold is the reason why the oldest file stays */
	struct access readings;
	struct known known;
	struct device_pace device_paces[DEVICE_PACES];
	struct device_pending device_pending[DEVICE_PENDING];
	struct role_turn devices_turn, weak_turn, attack_turn;
	struct role_check check;
	struct trends trends;
	uint64_t trends_at;	 /* monotonic ns: earliest time of the next save */
	struct event trends_pdu; /* the last event, if it was a refused request */
	struct weak_list weak;
	struct weak_steady weak_steady;
	uint64_t weak_tidy_at; /* monotonic ns: latest time of the next weak_tidy */
	struct clean clean;
	/* monotonic ns: when the observing conduits are to be read from the newest generation; 0 =
	 * this is done */
	uint64_t clean_rule_at;
	uint64_t clean_at,
		/* monotonic ns: earliest times of the next save: `clean_at` for changes,
		 * `clean_alive_at` for the mark that the conduits are watched */
		clean_alive_at;
	uint64_t clean_heard_ns; /* wall ns of the last event of a worker */
	struct event clean_last; /* the last event that was counted in `clean` */
	struct attacks attacks;
	/* monotonic ns: when to look next whether a self-test is due */
	uint64_t attack_look_at;
	struct weak_steady attack_steady;
	/* folder of the signing key; 0 = signatures are not wanted; -1 = there is no folder, so
	 * nothing is signed, and this is recorded */
	int key_folder;
	struct signer signer;
	json_t *last_checkpoint; /* the last checkpoint as in its record, NULL = none yet; owned */
	/* records since the last checkpoint, as far as this process knows */
	uint64_t unsigned_n;
	/* monotonic ns: latest time of the next signature; 0 = there is nothing to sign */
	uint64_t sign_at;
	bool signing;	    /* a checkpoint is being written */
	uint64_t signed_to; /* the last record that this process signed, 0 = none */
	char no_key[WHY];   /* why there is no key to sign with, "" = there is one */
	uint64_t no_key_at; /* monotonic ns: when the lack of a key is recorded again */
	/* the journal was empty at the start, and the supervisor has not said yet whether a
	 * generation was in force before */
	bool was_empty;
	uint64_t failures;
	char trouble[WHY]; /* why the disk cannot be written, "" = it can */
};

/* ---- A record that comes in: its time, merging, sums ---------------------------------------- */

/* Takes a record of a role: checks its time, then merges it, adds it to a sum, or writes it. */
void role_take(struct journal_role *j, const struct event *e, enum role from);
/* Writes sums and merged records that are due; with `all`, all of them. */
void role_write_merged(struct journal_role *j, bool all);

/* ---- Lines, signatures over lines, and what waits while the disk is full -------------------- */

/* Records an event about the journal itself; `object` may be NULL. */
void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object);
/* Writes an event, or lets it wait for room. `records`: the number of records that it sums up; 1 =
 * a single record. */
void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* The record of an event as JSON: a new reference, NULL = no memory. */
json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* Writes a record now or not at all; takes the reference. `grave`: it may use the reserve. False:
 * the disk cannot be written. True: it is written, or counted as unwritable; in that case it got
 * no number. */
bool role_write(struct journal_role *j, json_t *record, bool grave);
void role_sync(struct journal_role *j, uint64_t now, bool at_once);

/* Signs the lines when there are enough unsigned ones, or a file is full. */
void role_sign_written(struct journal_role *j);
/* Signs the lines when enough time has passed. */
void role_sign(struct journal_role *j, uint64_t now);
/* Signs now. `grave` as in role_write. False: the disk cannot be written or there is no key, and
 * this will be tried again; or there is no record. */
bool role_checkpoint(struct journal_role *j, bool grave);
/* Records that evidence was preserved, signs that record, and signs the digest of the evidence.
 * Returns the answer. */
json_t *role_preserved(struct journal_role *j, const struct msg_preserve *m, enum answer_status *ret);
/* Reads or makes the signing key if that was not done yet. False: there is none; j->no_key says
 * why. */
bool role_key(struct journal_role *j);

/* Opens the chain in a folder and makes the reserve. If there is no room for the reserve, records
 * wait. 0, or negative errno: no chain. */
int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e);
/* Whether a negative errno means a full disk. */
bool role_no_room(int code);
/* From now on records wait for room. */
void role_press(struct journal_role *j, const struct err *e);
/* When it is time to try again: writes waiting records, the most serious first, and then the record
 * of the dropped ones. */
void role_retry(struct journal_role *j, uint64_t now);
/* At the end of the process: uses up the reserve; less serious records that still wait are counted
 * as left out. */
void role_room_end(struct journal_role *j);

/* ---- Old files, and how full the disk is ---------------------------------------------------- */

/* Makes one step for closed files when it is due: deletes, packs or indexes one. */
void role_keep(struct journal_role *j, uint64_t now);
/* Sets the rule that applies from now on. */
void role_keep_rule(struct journal_role *j, const struct keep_rule *rule);
/* When the next step is due; UINT64_MAX = none. */
uint64_t role_keep_due(const struct journal_role *j);

/* role_keep.c: how full the disk is. */
uint64_t role_disk_due(const struct journal_role *j); /* monotonic ns */
void role_disk(struct journal_role *j, uint64_t now);
void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret);

/* ---- * Legal holds, which keep files -------------------------------------------------------- */

void role_hold_open(struct journal_role *j);
/* True when one of the holds stands for a list that could not be read. */
bool role_hold_damaged(const struct journal_role *j);
/* Whether a hold keeps this file. */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f);
/* Carries out an order of a person about holds, and returns the answer. */
json_t *role_hold_order(struct journal_role *j, const struct msg_hold *m, enum answer_status *ret);

/* ---- * The register of servers with weak TLS ------------------------------------------------ */

void role_weak_open(struct journal_role *j);
/* Takes an event about sessions with weak TLS. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Takes the event that a person has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_weak_due(const struct journal_role *j);
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

/* ---- * The register of how long conduits that observe had nothing to refuse ----------------- */

void role_clean_open(struct journal_role *j);
/* Takes any event, and counts what an observing conduit would have refused. */
void role_clean_heard(struct journal_role *j, const struct event *e, enum role from);
/* To be called when a generation was added to the names. */
void role_clean_rule(struct journal_role *j);
void role_clean_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_clean_due(const struct journal_role *j);
/* How long each conduit has been clean, for people. */
json_t *role_clean_json(struct journal_role *j);

/* ---- * The register of signs of attacks ----------------------------------------------------- */

void role_attack_open(struct journal_role *j);
/* To be called when a generation was added to the names: its thresholds may differ. */
void role_attack_rule(struct journal_role *j);
/* Evaluates a record. If an alarm rings, this is recorded. */
void role_attack_heard(struct journal_role *j, const struct event *e);
/* Also ends silences, and runs the self-test. */
void role_attack_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_attack_due(const struct journal_role *j);
void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret);
/* Carries out an order of a person about alarms, and returns the answer. */
json_t *role_attack_order(struct journal_role *j, const struct msg_attacks *m, enum answer_status *ret);

/* ---- * Counts by hour, for charts over time ------------------------------------------------- */

void role_trends_open(struct journal_role *j);
/* Takes any event. True: it exists only for these counts, and no record is made of it. */
bool role_trends_heard(struct journal_role *j, const struct event *e);
/* Takes an event of which a record is about to be written. */
void role_trends_put(struct journal_role *j, const struct event *e);
void role_trends_write(struct journal_role *j, uint64_t now, bool all);
uint64_t role_trends_due(const struct journal_role *j);
/* The answer to a question about trends. */
json_t *role_trends_json(struct journal_role *j, const struct msg_trends *m);

#endif
