/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforce role: the only process that changes the kernel's rules. It takes sealed generations
 * (rule IR, never netlink bytes), makes the table equal to them, reads back what the kernel has,
 * and watches for changes by others. It reads no packet. This header is for the files of this
 * folder alone:
 *   enforce/role.c             descriptors, sandbox, loop, messages
 *   enforce/generation.c  a generation in memory with its permit ids and kernel indexes; the moment
 *                         by which it ends
 *   enforce/apply.c       one apply: lingering permits, sessions that it cuts, commit
 *   enforce/usage.c       which permits live sessions carry
 *   enforce/relabel.c     sessions that another permit took over
 *   enforce/cut.c         the sessions that an apply ends
 *   enforce/isolate.c     what people isolated
 *   enforce/ended.c       those that an end by time ends
 *   enforce/lasting.c     those that last, or are silent, as long as their conduit lets them
 *   enforce/heard.c       conduits that are expected to carry something, and which are silent
 *   enforce/listen.c      the looks for that, and what is told of it
 *   enforce/unanswered.c  packets that passed their queue without an answer, and those of which the
 *                         tap is to hear, for the supervisor
 *   enforce/verify.c      expected against dumped, as a list of differences
 *   enforce/walk.c        a packet through the rules as they were read
 *   enforce/witness.c     packets put to the policy and to such a walk (witness_edges.c: which;
 *                         witness_box.c: the box's own)
 *   enforce/effective.c   what stands, for people (effective_commands.c: what permits grant)
 *   enforce/matched.c     what was used, and when (matched_form.c: on the disk; used.c: on its way
 *                         there and back)
 *   enforce/stop.c        what nobody waits for ends, and what is said meanwhile is kept
 *   enforce/status.c      how it stands
 *   enforce/look.c        the same for somebody who is no role, when nobody enforces
 *   enforce/session.c     sessions in the words of the policy
 *   enforce/monitor.c     hearing of changes from outside; forwarding goes off at the first word
 *   enforce/record.c      what is told of them
 *   enforce/drift.c       what they were, and the answer to them
 */
#ifndef SEKISHO_ENFORCE_ENFORCE_H
#define SEKISHO_ENFORCE_ENFORCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/heard.h"
#include "appliance/enforce/matched.h"
#include "appliance/enforce/stop.h"
#include "appliance/enforce/sync.h"
#include "appliance/enforce/telling.h"
#include "appliance/kernel/apart.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/talk.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "policy/ir/book.h"
#include "policy/ir/ir.h"

#define GENERATION_MAX IR_SEALED_MAX /* bytes of a sealed generation with its id map */
/* permits kept for their live sessions; further ones are cut */
#define LINGER_MAX 256u

/* A permit that left the policy under on_tighten = "new_flows" and still has sessions. */
struct lingering {
	uint32_t permit, lane;
};

/* Every session that is looked at asks for its permit's index. */
struct permit_at {
	uint32_t id, index;
};

struct generation_held {
	struct arena *arena;
	struct ir ir;
	struct ir_book book;	 /* whose addresses they are */
	uint32_t *ids;		 /* permit id per permit index */
	struct permit_at *by_id; /* sorted */
	uint32_t *interfaces;	 /* kernel index per interface, 0 = not there */
	struct lingering lingering[LINGER_MAX];
	size_t n_lingering;
	struct image kept; /* elements of the lingering permits */
	/* kernel index per interface under which they stand there: the last that it had; 0
	 * = none */
	uint32_t *kept_at;
	uint32_t *known; /* permits that workers have tables for, sorted */
	size_t n_known;
	/* seconds since 1970: for when the ends were last worked out; 0 = never */
	uint64_t asked_s;
	uint64_t opens_s; /* ... when something opens next by hours; UINT64_MAX = nothing */
	/* by permit: an end that had passed when they were worked out anew; 0 = none */
	uint64_t *over_s;
	uint64_t *was_s; /* ... the ends of before */
};

/* What each permit had counted when the journal was told last (begun.c), in halves of sessions.
 * Start from zero bytes. */
struct begun {
	struct begun_permit {
		uint32_t permit;
		uint64_t halves;
	} * told; /* owned; by permit; NULL = it was told of nothing yet */
	size_t n;
	uint64_t due_ns; /* monotonic */
};

#define DEEDS 14u /* kinds of changes: appliance/wire/deed.def */

/* What others did since the last answer to it. */
struct meddling {
	bool table;	    /* to our table, or nobody knows what: forwarding was turned off */
	bool beside;	    /* to tables of others */
	uint64_t beside_ns; /* monotonic: when that was first heard */
	bool fresh;	    /* nothing about our table was heard in this glance */
	bool touched;	    /* something of our table was in the transaction that is being told */
	uint32_t news;	    /* how often forwarding had to go off */
	/* for how long the table may have been open with forwarding on, at most */
	uint64_t gap_ns;
	uint64_t shut_ns; /* monotonic: when it went off last */
	uint32_t pid;	  /* who, as the kernel says; 0 = it did not */
	char process[17];
	struct {
		uint32_t n;
		char first[32]; /* the chain or set of the first */
	} deeds[DEEDS];
	char trouble[160]; /* forwarding could not be turned off */
};

/* What the thread's own counters were before it went to sleep. */
struct sleep_counters {
	bool counted;
	uint64_t waited_ns, sleeps;
};

/* The labels as they were last read and found right, for whoever reads the rest before the kernel's
 * next transaction. */
struct labels {
	bool known;
	struct arena *arena; /* owned */
	struct image image;  /* nothing but them and the number of the transaction */
};

struct enforce {
	int control, monitor, links;
	int delay; /* how long this thread waits for processors; -1 = the kernel does not say */
	struct meddling meddling;
	struct sleep_counters sleep;
	uint64_t monitor_empty_ns; /* monotonic: then no change had been told that was not read */
	uint64_t change_since_ns;  /* monotonic: what is read now did not happen before */
	bool shut;		   /* we turned forwarding off and could not open again */
	uint64_t shut_told_ns;	   /* monotonic: that is on record since then; 0 = it is not */
	/* monotonic: when the table was last read, it was right; 0 = never */
	uint64_t equal_ns;
	struct event_port events;
	struct netlink net;
	struct forwarding forwarding;
	int reverse_path;	     /* owned; see reverse_path.h */
	unsigned lacks;		     /* bits of enum kernel_lack */
	struct generation_held *now; /* in force, NULL before the first apply */
	uint64_t ended_s;	     /* seconds since 1970: what ended by then was told of */
	uint64_t used_until_s;	     /* ... what ends then was looked at before it does */
	bool waits;		     /* the clock is not trusted: what ends by time is left out */
	bool waits_due;		     /* ... and the kernel does not know that yet */
	bool mend_due;		     /* the last change of our own did not reach the kernel */
	/* the clock was set, and the ends that the kernel counts are not right yet */
	bool clock_due;
	bool relabel_due;   /* sessions may lie outside of their permit */
	struct apart apart; /* owned: what people isolated */
	struct apart kept;  /* owned: what goes on there all the same */
	/* the supervisor has said so; before, what stands in the kernel counts */
	bool apart_known;
	/* that people opened; what is behind n_doors is 0 */
	struct msg_open_door doors[DOORS_OPEN];
	size_t n_doors;
	struct matched matched;
	struct begun begun;
	struct labels labels;
	struct heard heard;
	uint64_t drifts;
	uint64_t drift_wall_ns;		  /* of the last, 0 = none */
	uint8_t foreign_seen[32];	  /* digest of what was foreign when it was last reported */
	uint8_t settings_seen[32];	  /* the same of network settings that cannot be set */
	struct msg_unanswered unanswered; /* as it was told */
	bool unanswered_told;
	uint64_t lasting_ns; /* monotonic: when sessions with a limit are looked at again */
	uint64_t poll_sysctl_ns, poll_linger_ns, poll_compare_ns, poll_heard_ns,
		poll_unanswered_ns; /* monotonic: when to look again */
	struct clock_pair clocks;
	struct hearing hearing;
	struct telling telling;
};

/* ---- enforce/generation.c -------------------------------------------------------------------- */

/*
 * Unseals `n_sealed` bytes at p, followed by `n_map` bytes of permit ids (big-endian u32 each).
 * NULL and *e when anything is wrong: digest, counts, an id of 0, an id used twice.
 */
struct generation_held *generation_hold(const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
void generation_drop(struct generation_held *g); /* accepts NULL */
/* Index of a permit by its id, or UINT32_MAX. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id);
/* The first conduit that grants something there, by permit index; NULL when none. */
const struct ir_conduit *generation_conduit(const struct generation_held *g, uint32_t permit_index);
bool generation_lingers(const struct generation_held *g, uint32_t permit);
/* Takes in the ids behind the map of MSG_APPLY. 0, -EBADMSG, -ENOMEM. */
int generation_note_known(struct generation_held *g, struct bytes b, struct err *e);
bool generation_knows(const struct generation_held *g, uint32_t permit);
/* Keeps a permit's live and agree elements as `from` has them. 0, -ENOSPC when too many
 * linger, -ENOMEM. */
int generation_keep(struct generation_held *g, const struct image *from, struct lingering l);
/*
 * Under which indexes stands what `g` keeps: those that `before` last had for the same devices,
 * which may be gone or have come back meanwhile; without it (NULL) those of `interfaces`.
 */
void generation_places(struct generation_held *g, const struct generation_held *before);
/* After `interfaces` were resolved: what lingers follows a device that has come back with
 * another index. */
void generation_follow(struct generation_held *g);
/* Seconds since 1970: what ends by then is not in force. While the clock is not trusted that is all
 * that ends. */
uint64_t enforce_moment(const struct enforce *f);
/* Works out what is open by hours now, and until when; not while the clock is not trusted: it stays
 * as it is then, and counts as over. */
void generation_at(struct enforce *f, struct generation_held *g);
/* Something opens now: what stands has to follow (enforce_waits_due). Milliseconds until then, -1 =
 * not soon. */
int enforce_opens(struct enforce *f);
/* The clock was set: the comparison that follows (f->clock_due) finds what is open by it, mends and
 * records it. */
void enforce_hours_set(struct enforce *f);
/* What the kernel should show for `g` now: image and rule texts. 0 or negative errno. */
int generation_image(struct enforce *f, const struct generation_held *g, struct arena *a, struct image *ret,
		     struct expectation *ret_x, struct err *e);

/* ---- enforce/doors.c ------------------------------------------------------------------------- */

/* What the supervisor says, and the kernel then has. 0 or negative errno: it follows with the
 * next look. */
int enforce_doors(struct enforce *f, int fd, struct err *e);

/* ---- enforce/apply.c ------------------------------------------------------------------------- */

/* Sessions of one fate: as people read them, and in the same order as MSG_APPLIED tells them. */
struct told_sessions {
	json_t *json;	       /* an array; owned */
	struct outbuf records; /* its memory is owned */
	uint64_t n, more;      /* how many are in it, and how many there are besides */
	size_t bytes;	       /* of the text of those in it */
};

/* What an apply does to the sessions that pass now. */
struct told {
	struct told_sessions cut, changed;
	uint64_t live;
};

struct apply_result {
	struct told told; /* owned by the caller: told_free */
	struct sync_report report;
	uint32_t lingering; /* permits that are kept for their sessions */
	uint32_t line;	    /* of a refusal */
};

/*
 * Takes `next` when it returns 0 and this was no dry run; otherwise it stays the caller's. Nothing
 * has changed when it fails, but for forwarding, which is off when settings could not be made safe.
 */
int enforce_apply(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		  struct err *e);
/* Makes the kernel what the generation in force says, whatever stands there. 0 or
 * negative errno. */
int enforce_mend(struct enforce *f, struct sync_report *ret, struct err *e);
/* Again, when the last one failed: else a comparison would take what it left for somebody
 * else's doing. */
void enforce_mend_due(struct enforce *f);
/* Whether what ends by time waits for a clock that is trusted. */
void enforce_waits(struct enforce *f, bool waits);
void enforce_waits_due(struct enforce *f); /* what of it could not be done at once */
/* Settings, then read-back, then forwarding on. Forwarding is off when it fails. */
int enforce_open(struct enforce *f, struct err *e);
/* Lets go of lingering permits that no session uses any more. */
void enforce_linger(struct enforce *f);

/* ---- enforce/cut.c --------------------------------------------------------------------------- */

/* `have` as dumped, sorted. 0 or negative errno; *ret is the caller's to free in any case. */
/* ---- enforce/session.c ----------------------------------------------------------------------- */

struct session;
struct question;
/* Its ends and its conduit as a person knows them, by the policy `now`, or else `names`; either may
 * be NULL. NULL: no memory. */
json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q);
/* The first name of the filter that the policy in force does not have; NULL = it has all. */
const char *enforce_flows_lacks(const struct generation_held *now, const struct event_filter *filter);
/* Which sessions there are (docs/json.md, flows); f->now is there. Owned by the caller, NULL and *e
 * on failure. */
json_t *enforce_flows(struct enforce *f, const struct msg_flows *m, struct err *e);

int enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct told *ret,
		struct err *e);
void told_free(struct told *t);

/* ---- enforce/relabel.c ----------------------------------------------------------------------- */

/* Sessions that lie in another live permit's cell than their own get its label. `old`: what was in
 * force before, NULL = not known. What cannot be done now is done at the next
 * call (f->relabel_due). */
void enforce_relabel(struct enforce *f, const struct generation_held *old);

/* ---- enforce/ended.c ------------------------------------------------------------------------- */

/* Tells of sessions that an end by time has just ended. Milliseconds until there may be more to
 * tell, -1 = not soon. */
int enforce_ended(struct enforce *f);
/* What `old` gave and what has just ended, when another generation took its place before that
 * was told. */
void enforce_ended_leave(struct enforce *f, const struct generation_held *old);

/* ---- enforce/used.c -------------------------------------------------------------------------- */

/* What an enforce before this one saw; nothing after the first look. 0 or negative errno: it is
 * watched anew. */
int enforce_used_heard(struct enforce *f, int fd, struct err *e);
/* What the last look saw, if the supervisor does not know it yet. */
void enforce_used_tell(struct enforce *f);
/* A look for nothing else: what counted is about to go. */
void enforce_used_look(struct enforce *f);

/* ---- enforce/begun.c ------------------------------------------------------------------------- */

/* A dump was made while f->now was in force: to the journal, when that is due, or `at_once`. */
void begun_looked(struct enforce *f, const struct image *have, bool at_once);
void begun_free(struct begun *b);

/* ---- enforce/lasting.c ----------------------------------------------------------------------- */

/* Looks at sessions with a limit when it is time. Milliseconds until the next look, -1 =
 * not soon. */
int enforce_lasting(struct enforce *f);

/* ---- enforce/listen.c ------------------------------------------------------------------------ */

/* f->now has just come into force; what was before still stands */
void enforce_listen_adopt(struct enforce *f);
void enforce_listen(struct enforce *f); /* a look */
/* How many conduits are expected to carry something, and which are silent
 * (docs/json.md, status). */
json_t *enforce_expected(const struct enforce *f);

/* ---- enforce/unanswered.c -------------------------------------------------------------------- */

void enforce_unanswered(struct enforce *f); /* a look */

/* ---- enforce/verify.c ------------------------------------------------------------------------ */

struct difference {
	const char *where; /* "set exact4", "chain forward", a setting's name, "table" */
	/* extra, missing, changed, foreign, sysctl; of a packet: passes, refused, otherwise; of a
	 * chain: hook, policy; of the table: flags; of a set: shape */
	const char *what;
	/* what is there: a rule, an element, a value; "" when the rest says it */
	const char *detail;
	const char *want; /* the value that must be there, NULL = not said */
	uint32_t line;	  /* policy line, 0 = none */
	bool ours;	  /* it is ours to mend */
};

struct differences {
	struct arena *arena; /* borrowed */
	struct difference *list;
	size_t n, room;
	bool table_gone; /* and all rules with it */
	size_t ours;	 /* how many are ours to mend (settings not counted) */
	size_t foreign, settings;
	uint64_t packets; /* put to the policy and to the rules */
};

/* Reads everything back and compares. 0 (also when there are differences) or negative errno. */
int enforce_verify(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
/* Our table only, without settings. */
int enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
void enforce_labels_forget(struct enforce *f);
json_t *differences_json(const struct differences *d);

/* ---- enforce/effective.c --------------------------------------------------------------------- */

json_t *enforce_effective(struct enforce *f, struct err *e); /* NULL on failure */

/* ---- enforce/status.c ------------------------------------------------------------------------ */

json_t *enforce_status(struct enforce *f, struct err *e);

/* ---- enforce/monitor.c ----------------------------------------------------------------------- */

int monitor_open_delay(void);	       /* an owned descriptor, or -1 */
void monitor_sleep(struct enforce *f); /* before poll() */
void monitor_woken(struct enforce *f); /* after it, when the monitor has something */
/* Reads what was told, without waiting; turns forwarding off when our table may have been touched.
 * Long work calls it often. */
void monitor_glance(struct enforce *f);
/* The table is not what it should be, or could not be read, since `since_ns` at the earliest:
 * forwarding off. */
void monitor_shut(struct enforce *f, uint64_t since_ns);

/* "rule added: forward, element deleted: live and 3 more" */
void meddling_text(const struct meddling *m, char *out, size_t size);

/* ---- enforce/drift.c ------------------------------------------------------------------------- */

void drift_settle(struct enforce *f);	/* answers what the monitor told */
void drift_links(struct enforce *f);	/* an interface came or went */
void drift_settings(struct enforce *f); /* looked at twice a second */
/* Everything is compared, though nobody told of a change; with f->clock_due, because the clock
 * was set. */
void drift_look(struct enforce *f);

/* "commands/cargo/closed/closed" */
json_t *enforce_lane_json(uint32_t number);
/* How many sessions are tracked, how many may be, and which shares are half full (shares.c). */
json_t *enforce_tracking(struct enforce *f);
/* The limits by interface and lane, when the rules that hold them are there as they should be;
 * null otherwise. */
json_t *enforce_limits(const struct image *have, const struct image *want);

#endif
