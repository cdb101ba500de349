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
#include "appliance/journal/disk.h"
#include "appliance/journal/hold.h"
#include "appliance/journal/known.h"
#include "appliance/journal/merge.h"
#include "appliance/journal/names.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_messages.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/search.h"
#include "appliance/journal/share.h"
#include "appliance/journal/signer.h"
#include "appliance/journal/trends.h"
#include "appliance/journal/wait.h"
#include "appliance/journal/weak.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

struct err;
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

#endif
