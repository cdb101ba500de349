/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal role, for its own files alone: role.c is its start, its loop and its end, role_take.c
 * what becomes of a record as it comes, role_write.c its way into a line, the signatures over lines
 * and what waits while the disk is full, role_keep.c what becomes of old files and how full the disk is,
 * role_hold.c which files stay, role_device.c the register of devices, role_weak.c the servers with
 * weak TLS, role_attack.c the signs of attacks, role_copy.c its files for who takes a copy,
 * role_messages.c what the supervisor says and asks.
 */
#ifndef SEKISHO_JOURNAL_ROLE_PRIVATE_H
#define SEKISHO_JOURNAL_ROLE_PRIVATE_H

#include "appliance/base/json.h"
#include "appliance/journal/access.h"
#include "appliance/journal/attack.h"
#include "appliance/journal/chain.h"
#include "appliance/journal/disk.h"
#include "appliance/journal/hold.h"
#include "appliance/journal/index.h"
#include "appliance/journal/keep.h"
#include "appliance/journal/known.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/names.h"
#include "appliance/journal/pack.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/share.h"
#include "appliance/journal/signer.h"
#include "appliance/journal/wait.h"
#include "appliance/journal/weak.h"
#include "appliance/wire/answer.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"

#define SOURCES 48u
#define WHY sizeof(((struct err *)0)->text)
#define QUESTIONS 64u
#define RETRY_NS 1000000000ull	      /* after a disk took nothing */
#define PACK_AGAIN_NS 600000000000ull /* after a failure with closed files, or for want of room */

struct source {
	int fd;
	enum role role;
	uint32_t index;
};

struct question {
	uint32_t id;
	struct msg_body body; /* EVENTS or EXPLAIN */
};

#define HEARING_MOST 16u

/* What was said while a search was at work: handled when it is over, in its order. Texts lie in the messages themselves, so none is moved. */
struct journal_hearing {
	struct msg kept[HEARING_MOST];
	size_t n;
	int broken;	  /* the channel, negative errno */
	uint32_t work;	  /* the question that is worked at */
	bool stop;	  /* nobody waits for it */
	uint64_t stopped; /* searches that ended because of that */
};

#define DEVICE_PACES 64u

/* How many records an interface may still cause by devices that are new, and what was not recorded one by one. */
struct device_pace {
	uint32_t iif, taken;
	uint64_t filled_ns; /* monotonic */
	uint64_t over, since_ns;
	struct event_generation generation;
};

/* One that is new and has not said its address yet: a card says who it is before it has one. */
struct device_pending {
	uint32_t number; /* 0 = free */
	uint32_t iif;
	struct event_generation generation;
	struct known_told told;
	uint64_t due_ns; /* monotonic: recorded then without it */
};

#define DEVICE_PENDING 64u

struct journal_role {
	struct journal chain;
	struct names names;
	struct merge merge;
	struct shares shares;
	struct source sources[SOURCES];
	size_t n_sources;
	struct question asked[QUESTIONS]; /* in their order */
	size_t n_asked;
	struct journal_hearing hearing;
	uint64_t sync_at;    /* monotonic: latest; 0 = nothing to sync */
	uint64_t lost;	     /* records that others could not hand over */
	uint64_t malformed;  /* no records, or not that role's to send */
	uint64_t unwritable; /* too large for a line */
	struct wait wait;
	struct reserve reserve;
	bool pressed; /* the disk takes no more, or the reserve is not whole: the rest waits */
	bool full;    /* ... and it is for want of room, not because it is broken */
	uint64_t retry_at;
	struct disk disk;
	uint64_t disk_at;	/* monotonic: the next look */
	uint64_t records_bytes; /* what the folder takes of it */
	struct pack *pack;	/* a closed segment on its way, NULL = none */
	uint64_t pack_at;	/* monotonic: not before */
	bool looked;		/* there was nothing to pack while looked_at was the open segment */
	uint64_t looked_at;
	struct index *index;		    /* of a closed segment, on its way; NULL = none */
	uint64_t index_at;		    /* monotonic: not before */
	uint64_t indexed_below, indexed_of; /* segments from here on have one; as it was while that one was open */
	uint8_t index_key[INDEX_KEY];	    /* while there is a signing key */
	struct keep_rule rule;
	uint64_t keep_at;   /* monotonic: when to look at the oldest file; 0 = there is no rule */
	uint64_t turn_at;   /* monotonic: when to look whether the open file is a day old; 0 = not known yet */
	uint64_t told_last; /* up to here it was recorded that records go */
	bool told_signed;   /* ... and that record is signed */
	uint64_t room_at;   /* monotonic: the next file may go for room, not before */
	char stuck[WHY];    /* why the oldest file stays though its time has come, "" = it does not */
	struct holds holds;
	bool held; /* ... and one of them is why the oldest file stays */
	struct access readings;
	struct known known;
	struct device_pace device_paces[DEVICE_PACES];
	struct device_pending device_pending[DEVICE_PENDING];
	uint64_t devices_at,
		devices_times_at; /* monotonic: the register is not saved before: what is new, and when the known were heard */
	struct weak_list weak;
	uint64_t weak_at, weak_times_at; /* monotonic: likewise */
	struct weak_steady weak_steady;
	uint64_t weak_tidy_at; /* monotonic: the next look at what is old, not later */
	struct attacks attacks;
	uint64_t attack_at, attack_counts_at; /* monotonic: likewise */
	uint64_t attack_look_at;	      /* monotonic: the next look whether a self-test is due */
	struct weak_steady attack_steady;
	int key_folder; /* of the signing key; 0 = nobody wants signatures, -1 = there is none: nothing is signed, and that is said */
	struct signer signer;
	json_t *last_checkpoint; /* as its record has it, NULL = none yet; owned */
	uint64_t unsigned_n;	 /* records since the last checkpoint, as far as this process knows */
	uint64_t sign_at;	 /* monotonic: latest; 0 = there is nothing to sign */
	bool signing;		 /* the checkpoint itself is being written */
	uint64_t signed_to;	 /* the last record that this process signed, 0 = none */
	char no_key[WHY];	 /* why there is no key to sign with, "" = there is one */
	uint64_t no_key_at;	 /* monotonic: when that is recorded again */
	bool was_empty;		 /* at the start, and nobody has said yet whether that is right */
	uint64_t failures;
	char trouble[WHY]; /* why the disk takes no more, "" = it does */
};

/* ---- role_take.c ------------------------------------------------------------------------------------------------- */

/* One record of a role as it comes: its time is held to the clock, then it is merged, shared out or written. */
void role_take(struct journal_role *j, const struct event *e, enum role from);
/* What is due of sums and floods; all of it with `all`. */
void role_write_merged(struct journal_role *j, bool all);

/* ---- role_write.c ------------------------------------------------------------------------------------------------ */

/* Something about the journal itself; `object` may be NULL. */
void role_put_own(struct journal_role *j, enum lost_event what, uint64_t count, uint64_t value, const char *object);
/* One event, as it is: written, or it waits for room. `records`: how many it is the sum of; 1 = it is itself. */
void role_put(struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* The same as a record: new reference, NULL = no memory. */
json_t *role_record(const struct journal_role *j, const struct event *e, enum role from, uint64_t records);
/* One record, now or not at all; takes the reference. `grave`: the reserve is for it. False: the disk does not take it. True: it is
 * written, or counted as unwritable: then no number was given. */
bool role_write(struct journal_role *j, json_t *record, bool grave);
void role_sync(struct journal_role *j, uint64_t now, bool at_once);

/* Lines stand unsigned: signs them when there are enough, or a file is full. */
void role_sign_written(struct journal_role *j);
/* ... or enough time went by. */
void role_sign(struct journal_role *j, uint64_t now);
/* Now. `grave`: the reserve is for it, as in role_write. False: the disk takes nothing or there is no key, and it is tried again; or there is no record. */
bool role_checkpoint(struct journal_role *j, bool grave);
/* Records that evidence was preserved, signs that, and seals its list of files; the answer. */
json_t *role_preserved(struct journal_role *j, const struct msg_preserve *m, enum answer_status *ret);
/* The public key, read or made if it was not yet. False: there is none; j->no_key says why. */
bool role_key(struct journal_role *j);

/* Opens the chain in a folder and makes the reserve; without room for that what comes waits. 0, or negative errno: no chain. */
int role_open(struct journal_role *j, int dirfd, struct journal_recovery *ret, struct err *e);
/* A negative errno that a full disk gives. */
bool role_no_room(int code);
/* From now on records wait for room. */
void role_press(struct journal_role *j, const struct err *e);
/* When it is time to try again: what waits is written, the gravest first, then what was left out is told. */
void role_retry(struct journal_role *j, uint64_t now);
/* The end: the reserve is spent; what is not grave and still waits is counted as left out. */
void role_room_end(struct journal_role *j);

/* ---- role_copy.c ------------------------------------------------------------------------------------------------- */

/* Answers MSG_COPY; that somebody has read is on record. False: the supervisor cannot be told. */
bool role_copy(struct journal_role *j, uint32_t id, const struct msg_copy *asked);

/* ---- role_keep.c ------------------------------------------------------------------------------------------------- */

/* One act for the files that are closed, when it is time for one: kept or deleted, packed, indexed. */
void role_keep(struct journal_role *j, uint64_t now);
/* The rule that holds from now on. */
void role_keep_rule(struct journal_role *j, const struct keep_rule *rule);
/* When the next is due; UINT64_MAX = none. */
uint64_t role_keep_due(const struct journal_role *j);

/* ---- role_hold.c ------------------------------------------------------------------------------------------------- */

/* What is held at the start; recorded where that cannot be read. */
void role_hold_open(struct journal_role *j);
/* One of them stands for a list that could not be read. */
bool role_hold_damaged(const struct journal_role *j);
/* This file stays whatever its age. */
bool role_hold_keeps(struct journal_role *j, const struct keep_file *f);
/* What people ordered, and the answer. */
json_t *role_hold_order(struct journal_role *j, const struct msg_hold *m, enum answer_status *ret);

/* ---- role_device.c ----------------------------------------------------------------------------------------------- */

/* The register as it was left; where there is none that can be read, that is recorded, and a new one is there. */
void role_device_open(struct journal_role *j);
/* A device was heard. */
void role_device_heard(struct journal_role *j, const struct event *e);
/* What is due: sums, and the register's file; `all`: at the end, whatever is not there yet. */
void role_device_write(struct journal_role *j, uint64_t now, bool all);
/* When that is; UINT64_MAX = never. */
uint64_t role_device_due(const struct journal_role *j);
/* What the status says. */
void role_device_status(const struct journal_role *j, struct msg_journal_status *ret);
/* What people ordered, and the answer. `fd`: the copy that comes with DEVICES_TRY and DEVICES_TAKE, else -1; the caller's. */
json_t *role_device_order(struct journal_role *j, const struct msg_devices *m, int fd, enum answer_status *ret);

/* ---- role_weak.c ------------------------------------------------------------------------------------------------- */

/* The list as it was left; recorded where that cannot be read. */
void role_weak_open(struct journal_role *j);
/* Sessions with weak TLS were seen. */
void role_weak_seen(struct journal_role *j, const struct event *e);
/* Somebody has signed a review of records. */
void role_weak_reviewed(struct journal_role *j, const struct event *e);
/* What is due of the list's file; `all`: at the end, whatever is not there yet. */
void role_weak_write(struct journal_role *j, uint64_t now, bool all);
/* When that is; UINT64_MAX = never. */
uint64_t role_weak_due(const struct journal_role *j);
/* What the status says. */
void role_weak_status(const struct journal_role *j, struct msg_journal_status *ret);

/* ---- role_attack.c ----------------------------------------------------------------------------------------------- */

/* The alarms of attacks as they were left; recorded where that cannot be read. */
void role_attack_open(struct journal_role *j);
/* Another generation is in force. */
void role_attack_rule(struct journal_role *j);
/* A record came; what rings by it is recorded. */
void role_attack_heard(struct journal_role *j, const struct event *e);
/* What is due: silences that end, a self-test, the file; `all`: at the end, whatever is not there yet. */
void role_attack_write(struct journal_role *j, uint64_t now, bool all);
/* When that is; UINT64_MAX = never. */
uint64_t role_attack_due(const struct journal_role *j);
/* What the status says. */
void role_attack_status(const struct journal_role *j, struct msg_journal_status *ret);
/* What people ordered, and the answer. */
json_t *role_attack_order(struct journal_role *j, const struct msg_attacks *m, enum answer_status *ret);

/* ---- role_messages.c --------------------------------------------------------------------------------------------- */

/* All that waits; questions about records are put down. False: the supervisor is gone or said what it may not say. */
bool role_hear(struct journal_role *j);
/* Something was heard meanwhile that role_hear has to handle. */
bool role_heard(const struct journal_role *j);
/* One of them, if there is one. False: the supervisor is gone. */
bool role_answer(struct journal_role *j);

/* role_keep.c: how full the disk is. */
uint64_t role_disk_due(const struct journal_role *j); /* monotonic ns */
void role_disk(struct journal_role *j, uint64_t now);
void role_disk_status(const struct journal_role *j, struct msg_journal_status *ret);

#endif
