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
#include "appliance/journal/intake.h"
#include "appliance/journal/keeping.h"
#include "appliance/journal/known.h"
#include "appliance/journal/names.h"
#include "appliance/journal/reserve.h"
#include "appliance/journal/role_device.h"
#include "appliance/journal/role_files.h"
#include "appliance/journal/role_messages.h"
#include "appliance/journal/role_register.h"
#include "appliance/journal/search.h"
#include "appliance/journal/signing.h"
#include "appliance/journal/trends.h"
#include "appliance/journal/weak.h"
#include "appliance/journal/writing.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

struct err;
struct index;
struct pack;

#define QUESTIONS 64u
/* ns until the next attempt, when the disk could not be written */
#define RETRY_NS 1000000000ull
/* ns until the next attempt, after a failure with closed files or for lack of room */
#define PACK_AGAIN_NS 600000000000ull

struct waiting {
	uint32_t id;
	struct msg_body body; /* EVENTS or EXPLAIN */
};

struct journal_role {
	struct journal chain;
	struct names names;
	struct intake intake;
	struct writing writing;
	struct signing signing;
	struct keeping keeping;
	struct waiting asked[QUESTIONS]; /* waiting questions, in order */
	size_t n_asked;
	struct journal_hearing hearing;
	uint64_t sync_at; /* monotonic ns: latest time of the next sync; 0 = nothing to sync */
	struct reserve reserve;
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
	/* the journal was empty at the start, and the supervisor has not said yet whether a
	 * generation was in force before */
	bool was_empty;
};

#endif
