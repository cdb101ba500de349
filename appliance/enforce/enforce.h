/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforce role: the only process that changes the kernel's rules. It takes sealed generations
 * (rule IR, never netlink bytes), makes the kernel's table equal to them, reads back what the
 * kernel has, and watches for changes by others. It reads no packet. This header is for the files
 * of this folder only:
 *
 *   enforce/role.c        descriptors, sandbox, loop, messages; look.c: the same for a caller that
 *                         is no role, while no enforce runs
 *   enforce/work.c        ends work that nobody waits for, and reports its progress
 *   enforce/generation.c  a generation in memory with its permit ids and kernel indexes, and the
 *                         moment by which its ends are judged
 *   enforce/expect.c      the image that the kernel should have for a generation
 *   enforce/apply.c       one apply: lingering permits, sessions that it cuts, commit
 *   enforce/sync.c        the transactions that make the table equal to an image
 *   enforce/usage.c       which permits live sessions have
 *   enforce/relabel.c     sessions that now belong to another permit
 *   enforce/cut.c         the sessions that an apply ends
 *   enforce/trust.c       whether the clock is trusted
 *   enforce/ended.c       sessions whose time is over: their permit's, or their conduit's limits
 *   enforce/isolations.c  isolations by people; isolate.c sets them in the kernel
 *   enforce/doors.c       doors that people open; door_book.c decides about them
 *   enforce/heard.c       conduits with heard_within, and which of them are silent
 *   enforce/session.c     the present sessions: in the words of the policy, by zone and lane, and
 *                         for heard.c
 *   enforce/verify.c      expected against dumped, as a list of differences
 *   enforce/walk.c        the way of a packet through the rules that were read
 *   enforce/witness.c     compares the policy with such walks (witness_edges.c chooses packets,
 *                         witness_box.c tests the box's own traffic)
 *   enforce/effective.c   the rules in force, for people (policy/ir/json.c: grants)
 *   enforce/status.c      the state of the kernel's side, and counters for the supervisor
 *   enforce/matched.c     what was used, and when
 *   enforce/used.c        the record of that to and from the supervisor; for the journal, how many
 *                         sessions of each conduit began
 *   enforce/sockets.c     the netlink sockets, and the kernel's index of each interface
 *   enforce/monitor.c     notices and records changes by others, and turns forwarding off at the
 *                         first one
 *   enforce/drift.c       finds out what was changed, and mends it
 */
#ifndef SEKISHO_ENFORCE_ENFORCE_H
#define SEKISHO_ENFORCE_ENFORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/heard.h"
#include "appliance/enforce/matched.h"
#include "appliance/enforce/monitor.h"
#include "appliance/enforce/trust.h"
#include "appliance/enforce/used.h"
#include "appliance/enforce/verify.h"
#include "appliance/enforce/work.h"
#include "appliance/kernel/apart.h"
#include "appliance/kernel/talk.h"
#include "appliance/wire/event.h"

struct err;
struct generation_held;

/* What the loop does at regular intervals (role.c). */
enum chore { CHORE_SETTINGS, CHORE_LINGER, CHORE_HEARD, CHORE_UNANSWERED, CHORE_TRUST, CHORE_COMPARE, CHORES };

struct enforce {
	int control, monitor, links;
	/* file that tells how long this thread waited for a processor; -1 = the kernel has none */
	int delay;
	struct meddling meddling;
	struct sleep_counters sleep;
	uint64_t monitor_empty_ns; /* monotonic: when the monitor last had nothing to read */
	/* monotonic: changes that are read now did not happen before this time */
	uint64_t change_since_ns;
	/* we turned forwarding off, and could not turn it on again yet */
	bool shut;
	uint64_t shut_told_ns; /* monotonic: when `shut` was recorded; 0 = it was not */
	/* monotonic: when the table was last read and found right; 0 = never */
	uint64_t equal_ns;
	struct event_port events;
	struct netlink net;
	struct forwarding forwarding;
	int reverse_path; /* owned; see reverse_path_open (box/sysctl.h) */
	unsigned lacks;	  /* bits of enum kernel_lack */
	/* the rules in the kernel may ask the verdict cache of an earlier daemon, whose memory
	 * nobody writes any more. The text of the rules does not show this */
	bool once_earlier;
	struct generation_held *now; /* the generation in force; NULL before the first apply */
	/* seconds since 1970: sessions that ended by this time were reported */
	uint64_t ended_s;
	/* seconds since 1970: for permits that end by this time, the counters were read just
	 * before */
	uint64_t used_until_s;
	/* the clock is not trusted, so everything with an end is left out */
	bool waits;
	bool waits_due; /* `waits` has changed, and the kernel does not have it yet */
	struct trust trust;
	bool mend_due; /* our last change did not reach the kernel */
	/* the clock was set, and the expiry times in the kernel are not right yet */
	bool clock_due;
	bool relabel_due;   /* some sessions may be outside of their permit's cells */
	struct apart apart; /* owned: what people isolated */
	struct apart kept;  /* owned: what continues during isolations */
	/* the supervisor has told the isolations; before that, those in the kernel are valid */
	bool apart_known;
	/* owned: {"what", "by", "reason", "since", "pairs", "keep", "stage"}; NULL = not told */
	json_t *isolations;
	struct {
		json_t *list; /* owned: door_book.h; NULL = not told yet */
		/* monotonic ns: a change of the list was sent to the supervisor, and is lost if it
		 * has not come back by then; 0 = no change is under way */
		uint64_t sent_until;
		bool asked; /* the change under way opens and shuts nothing */
		uint64_t looked_s;
	} doors;
	struct matched matched;
	struct begun begun;
	struct labels labels;
	struct heard heard;
	uint64_t drifts;
	uint64_t drift_wall_ns; /* wall clock ns of the last drift, 0 = none */
	/* digest of the foreign objects that were last reported */
	uint8_t foreign_seen[32];
	/* digest of the settings that could not be set, as last reported */
	uint8_t settings_seen[32];
	struct msg_unanswered unanswered; /* last reported to the supervisor */
	bool unanswered_told;
	uint64_t lasting_ns;	 /* monotonic: when sessions with a limit are read again */
	uint64_t due_ns[CHORES]; /* monotonic: when each is done again */
	struct clock_pair clocks;
	struct hearing hearing;
	struct telling telling;
};

/* Opens what both the role and a look without it (look.h) need, except the socket for the rules.
 * enforce_end frees everything that *f owns, except that socket. 0 or negative errno. */
int enforce_begin(struct enforce *f, struct err *e);
void enforce_end(struct enforce *f);

#endif
