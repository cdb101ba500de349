/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforce role: the only process that changes the kernel's rules. It takes sealed generations
 * (rule IR, never netlink bytes), makes the table equal to them, reads back what the kernel has,
 * and watches for changes by others. It reads no packet. This header is for the files of this
 * folder only:
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
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/clock.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/box/sysctl.h"
#include "appliance/enforce/heard.h"
#include "appliance/enforce/matched.h"
#include "appliance/kernel/apart.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/talk.h"
#include "appliance/wire/event.h"
#include "appliance/wire/msg.h"
#include "policy/ir/ir.h"

#define GENERATION_MAX IR_SEALED_MAX /* bytes of a sealed generation with its id map */
/* permits kept for their live sessions; further ones are cut */
#define LINGER_MAX 256u

/* A permit that left the policy under on_tighten = "new_flows" and still has sessions. */
struct lingering {
	uint32_t permit, lane;
};

/* The index of each permit id, because every session that is read needs it. */
struct permit_at {
	uint32_t id, index;
};

struct generation_held {
	struct arena *arena;
	struct ir ir;
	struct ir_book book;	 /* the names of the assets at the addresses in `ir` */
	uint32_t *ids;		 /* permit id per permit index */
	struct permit_at *by_id; /* sorted */
	uint32_t *interfaces;	 /* kernel index per interface, 0 = the interface is missing */
	struct lingering lingering[LINGER_MAX];
	size_t n_lingering;
	struct image kept; /* kernel elements of the lingering permits */
	/* per interface, the kernel index in those elements: the last one that the interface had; 0
	 * = none */
	uint32_t *kept_at;
	uint32_t *known; /* permits that workers have tables for, sorted */
	size_t n_known;
	/* seconds since 1970: moment for which the ends were last computed; 0 = never */
	uint64_t asked_s;
	/* seconds since 1970: when something opens next by hours; UINT64_MAX = never */
	uint64_t opens_s;
	/* by permit: an end that had passed when the ends were last computed; 0 = none */
	uint64_t *over_s;
	uint64_t *was_s; /* by permit: its end before this computation */
};

/* What the journal was last told (used.c). Starts as zeros. */
struct begun {
	/* owned; the counts of each permit, in halves of sessions; NULL = nothing was told yet */
	struct msg_used_permit *told;
	size_t n;
	uint64_t due_ns; /* monotonic */
};

#define DEEDS 14u /* kinds of changes: appliance/wire/deed.def */

/* Changes by others since the last reaction to them. */
struct meddling {
	/* Forwarding is off because our table was changed, or because it is not known which table
	 * was. */
	bool table;
	bool beside;	    /* another program's table was changed */
	uint64_t beside_ns; /* monotonic: when such a change was first reported */
	bool fresh;	    /* this monitor_glance has read no report about our table yet */
	bool touched;	    /* the transaction that is being reported changed our table */
	uint32_t news;	    /* how often forwarding was turned off */
	/* longest time for which the table may have been changed while forwarding was on */
	uint64_t gap_ns;
	uint64_t shut_ns; /* monotonic: when forwarding was last turned off */
	uint32_t pid;	  /* the author's pid, as the kernel reports it; 0 = it did not */
	char process[17];
	struct {
		uint32_t n;
		char first[32]; /* chain or set of the first change of this kind */
	} deeds[DEEDS];
	char trouble[160]; /* why forwarding could not be turned off */
};

/* Counters of this thread before it went to sleep. */
struct sleep_counters {
	bool counted;
	uint64_t waited_ns, sleeps;
};

/* Labels that a comparison has found right. Before the kernel's next transaction they need not be
 * read again. */
struct labels {
	bool known;
	struct arena *arena; /* owned */
	struct image image;  /* only the labels, and the number of the transaction */
};

/* Messages that arrive during long work, and whether it has to end. */
#define HEARING_MOST 32u

struct hearing {
	/* messages received and not handled yet. They are in a ring and are never moved, because
	 * their texts point into the message */
	struct msg kept[HEARING_MOST];
	size_t first, n;
	int broken; /* the channel failed: negative errno */
	bool working, stop;
	/* about the present work: `way`: it makes way for a person's order; `urgent`: such an order
	 * came; `gone`: nobody waits for it */
	bool way, urgent, gone;
	uint32_t work;	   /* the question's id */
	uint64_t again_ns; /* monotonic: when to look for messages again */
	uint64_t stopped;  /* how often work ended because nobody waited */
};

/* The progress of a question whose asker wants to know. */
struct telling {
	bool on;
	uint32_t id;
	enum progress_stage stage;
	uint32_t done, of; /* of the stage; 0 = not known */
	uint64_t again_ns; /* monotonic: no message before */
};

/* What is done again and again (role.c). */
enum chore { CHORE_SETTINGS, CHORE_LINGER, CHORE_HEARD, CHORE_UNANSWERED, CHORE_COMPARE, CHORES };

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
	/* seconds since 1970: uses of permits that end by this time were read before their end */
	uint64_t used_until_s;
	/* the clock is not trusted, so everything with an end is left out */
	bool waits;
	bool waits_due; /* `waits` has changed, and the kernel does not have it yet */
	bool mend_due;	/* our last change did not reach the kernel */
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
		/* monotonic ns: until when a change of it may come back from the supervisor; 0 =
		 * none is under way */
		uint64_t sent_until;
		bool asked; /* that change opens and shuts nothing */
		uint64_t looked_s;
	} doors;
	struct matched matched;
	struct begun begun;
	struct labels labels;
	struct heard heard;
	uint64_t drifts;
	uint64_t drift_wall_ns; /* wall ns of the last drift, 0 = none */
	/* digest of the foreign objects that were last reported */
	uint8_t foreign_seen[32];
	/* digest of the settings that could not be set when this was last reported */
	uint8_t settings_seen[32];
	struct msg_unanswered unanswered; /* last reported to the supervisor */
	bool unanswered_told;
	uint64_t lasting_ns;	 /* monotonic: when sessions with a limit are read again */
	uint64_t due_ns[CHORES]; /* monotonic: when each is done again */
	struct clock_pair clocks;
	struct hearing hearing;
	struct telling telling;
};

/* ---- enforce/role.c -------------------------------------------------------------------------- */

/* Opens what a role and a look (look.h) both need beside the rules; enforce_end frees all that *f
 * owns but the socket for the rules. 0 or negative errno. */
int enforce_begin(struct enforce *f, struct err *e);
void enforce_end(struct enforce *f);

/* ---- enforce/generation.c -------------------------------------------------------------------- */

/*
 * Unseals `n_sealed` bytes at p, followed by `n_map` bytes of permit ids (big-endian u32 each).
 * NULL and *e when anything is wrong: digest, counts, an id of 0, an id used twice.
 */
struct generation_held *generation_hold(const uint8_t *p, size_t n_sealed, size_t n_map, struct err *e);
void generation_drop(struct generation_held *g); /* accepts NULL */
/* Index of a permit by its id, or UINT32_MAX. */
uint32_t generation_permit(const struct generation_held *g, uint32_t id);
/* The first conduit that grants something under this permit index; NULL when there is none. */
const struct ir_conduit *generation_conduit(const struct generation_held *g, uint32_t permit_index);
bool generation_lingers(const struct generation_held *g, uint32_t permit);
/* Reads the ids of the permits for which workers have tables: they follow the id map in MSG_APPLY.
 * 0, -EBADMSG, -ENOMEM. */
int generation_note_known(struct generation_held *g, struct bytes b, struct err *e);
bool generation_knows(const struct generation_held *g, uint32_t permit);
/* Keeps a permit's elements of SET_LIVE and SET_AGREE as they are in `from`. 0, -ENOSPC when too
 * many linger, -ENOMEM. */
int generation_keep(struct generation_held *g, const struct image *from, struct lingering l);
/*
 * Sets the kernel indexes of the kept elements: those that `before` last had for the same devices,
 * which may be gone or have returned since. Without `before` (NULL), those of `interfaces`.
 */
void generation_places(struct generation_held *g, const struct generation_held *before);
/* To be called after `interfaces` was resolved: kept elements follow a device that has returned
 * with another index. */
void generation_follow(struct generation_held *g);
/* The time by which ends are judged, in seconds since 1970. While the clock is not trusted it lies
 * behind every end. */
uint64_t enforce_moment(const struct enforce *f);
/* Computes what is open by hours now, and until when. While the clock is not trusted, everything
 * with an end counts as over, and nothing is computed. */
void generation_at(struct enforce *f, struct generation_held *g);
/* If something opens now, brings the kernel up to date (enforce_waits_due). Returns the
 * milliseconds until the next opening, -1 = not soon. */
int enforce_opens(struct enforce *f);
/* The clock was set: the comparison that follows (f->clock_due) computes what is open now, mends
 * and records. */
void enforce_hours_set(struct enforce *f);
/* The image and rule texts that the kernel should have for `g` now. 0 or negative errno. */
int generation_image(struct enforce *f, const struct generation_held *g, struct arena *a, struct image *ret,
		     struct expectation *ret_x, struct err *e);

/* The name of the interface with this kernel index; NULL: the generation has none. */
static inline const char *generation_interface(const struct generation_held *g, uint32_t index)
{
	for (uint32_t i = 0; index != 0 && i < g->ir.n_interfaces; i++)
		if (g->interfaces[i] == index)
			return g->ir.interfaces[i].name;
	return NULL;
}

/* ---- enforce/expect.c (kernel/image.h) ------------------------------------------------------- */

/* An element of a set of cells, taken apart. */
struct cell_read {
	uint32_t iif, oif; /* kernel indexes */
	struct addr_range src, dst;
	uint8_t l4proto;
	uint16_t lo, hi; /* ports */
};
struct cell_read cell_read(unsigned set, const struct image_element *el);

/* ---- enforce/doors.c ------------------------------------------------------------------------- */

/* An order, answered now or when the supervisor has the change. False: the channel is broken. */
bool enforce_door(struct enforce *f, const struct msg *m);
/* The supervisor's list; brings the kernel up to date. False: the message is invalid. */
bool enforce_doors(struct enforce *f, uint32_t id, int fd);
void enforce_doors_due(struct enforce *f); /* to be called in each turn */

/* ---- enforce/isolations.c -------------------------------------------------------------------- */

/* An order, which is answered. False: the channel is broken. */
bool enforce_isolation(struct enforce *f, const struct msg *m);
/* The supervisor's list. */
void enforce_isolations(struct enforce *f, int fd);
/* Before and after `next` comes into force: what the policies of the moment name is isolated. */
void enforce_isolations_before(struct enforce *f, const struct generation_held *next);
/* The generation in force has stayed. Conduits that it does not keep are not kept again by a later
 * one. */
void enforce_isolations_in_force(struct enforce *f);

/* ---- enforce/apply.c ------------------------------------------------------------------------- */

/* Sessions with the same fate, as JSON for people and in the same order as records for
 * MSG_APPLIED. */
struct told_sessions {
	json_t *json;	       /* an array; owned */
	struct outbuf records; /* its memory is owned */
	uint64_t n, more;      /* number of sessions in the list, and of further ones */
	size_t bytes;	       /* bytes of their text */
};

/* The effect of an apply on the sessions that pass now. */
struct told {
	struct told_sessions cut, changed;
	uint64_t live;
};

struct sync_report {
	bool rules;   /* rules were refilled */
	bool rebuilt; /* the table had to be deleted and made again */
	size_t added, gone, messages;
	uint32_t line; /* policy line of a refusal, 0 = none */
};

struct apply_result {
	struct told told; /* owned by the caller: told_free */
	struct sync_report report;
	uint32_t lingering; /* number of permits that are kept for their sessions */
	uint32_t line;	    /* policy line of a refusal; 0 = none */
};

/*
 * Takes over `next` if f->now is `next` afterwards: after success, unless this was a dry run, and
 * if a first policy was committed but could not be opened. Otherwise `next` stays the caller's, and
 * after a failure nothing has changed, except that forwarding is off if settings could not be made
 * safe.
 */
int enforce_apply(struct enforce *f, struct generation_held *next, uint8_t flags, struct apply_result *ret,
		  struct err *e);
/* Makes the kernel's table equal to the generation in force, whatever the table has now. 0 or
 * negative errno. */
int enforce_mend(struct enforce *f, struct err *e);
/* Repeats enforce_mend if the last one failed: otherwise a comparison would take the remaining
 * differences for changes by others. */
void enforce_mend_due(struct enforce *f);
/* Sets whether everything with an end has to wait for a trusted clock. */
void enforce_waits(struct enforce *f, bool waits);
void enforce_waits_due(struct enforce *f); /* completes enforce_waits if that failed */
/* Sets the network settings, reads them back, and turns forwarding on. On failure forwarding is
 * off. */
int enforce_open(struct enforce *f, struct err *e);
/* Drops lingering permits that no session uses any more. */
void enforce_linger(struct enforce *f);
/* pairs.c: sends the addresses between which gates may answer (wire/pairs.h). */
void enforce_pairs_tell(const struct enforce *f);

/* ---- enforce/sync.c -------------------------------------------------------------------------- */

/*
 * `have` as dumped, `want` with the rule texts of `x`. Scratch memory from want's arena. 0;
 * -ERESTART, -ENOENT, -EEXIST if the kernel's table changed meanwhile (dump again and repeat);
 * otherwise a refusal that changed nothing. `try`: the kernel checks everything and changes
 * nothing.
 */
int table_sync(struct netlink *n, const struct image *have, const struct image *want, const struct expectation *x,
	       unsigned lacks, bool try, struct sync_report *ret, struct err *e);

/* ---- enforce/usage.c ------------------------------------------------------------------------- */

/*
 * Which permits live sessions have: each permit of the generation in force, and permits of earlier
 * ones that were kept for their sessions. Other ids belong to sessions that were cut and are still
 * in the kernel's table; they do not count.
 */
struct kept_permit {
	uint32_t id;
	bool used;
};

struct usage {
	const struct generation_held *now; /* borrowed; NULL = none, after a start of this role */
	bool *used;			   /* per permit index of `now` */
	struct kept_permit *kept;	   /* sorted by id; both arrays are in the arena */
	size_t n_kept;
};

/* Begins with no permit in use. The kept permits are those of `now`; if `now` is NULL, those in the
 * kernel's table `have`. False: memory is out. */
bool usage_begin(const struct generation_held *now, const struct image *have, struct arena *a, struct usage *ret);
/* For conntrack_dump, with the usage as context. */
void usage_restart(void *usage);
int usage_note(const struct session *s, void *usage);
bool usage_has(const struct usage *u, uint32_t id);

/* ---- enforce/isolate.c ----------------------------------------------------------------------- */

/*
 * Cuts what the isolations of the list cover under the generation in force and under `next` (NULL:
 * none), or with `rehearse` only computes their effect.
 * Returns the effect on live sessions, owned by the caller. NULL and *e: the kernel does not have
 * the new state yet; it is tried again, and an earlier isolation ends only when that succeeds.
 */
json_t *enforce_isolate(struct enforce *f, bool rehearse, const json_t *list, const struct generation_held *next,
			struct err *e);

/* ---- enforce/session.c ----------------------------------------------------------------------- */

/* What the policy is asked about a session. */
static inline struct question session_question(const struct session *s, uint64_t now_s)
{
	return (struct question){ .source = s->client,
				  .destination = s->server,
				  .l4proto = s->l4proto,
				  .port = s->server_port,
				  .now = now_s };
}
/* A session in the words of the policy: ends and conduit by the policy `now`, else by `names`;
 * either may be NULL. NULL: no memory. */
json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q);
/* The first name of the filter that the policy in force does not have; NULL = it has all. */
const char *enforce_flows_lacks(const struct generation_held *now, const struct event_filter *filter);
/* The list of present sessions (docs/json.md, flows). Needs f->now. Owned by the caller, NULL and
 * *e on failure. */
json_t *enforce_flows(struct enforce *f, const struct msg_flows *m, struct err *e);
/* "commands/cargo/closed/closed" */
json_t *enforce_lane_json(uint32_t number);
/* The number of tracked sessions, their limit, and the shares that are at least half full. */
json_t *enforce_tracking(struct enforce *f);
/* For conduits with heard_within: f->now has just come into force; its predecessor is still in
 * memory. */
void enforce_listen_adopt(struct enforce *f);
void enforce_listen(struct enforce *f); /* called in each look */
/* The number of conduits with heard_within, and which of them are silent (docs/json.md, status). */
json_t *enforce_expected(const struct enforce *f);

/* ---- enforce/cut.c --------------------------------------------------------------------------- */

int enforce_cut(struct enforce *f, const struct generation_held *next, const struct image *have, struct told *ret,
		struct err *e);
/* The TCP sessions that it ends, as in wire/cuts.h; a memfd, or negative errno. */
int told_cuts(const struct told *t);
void told_free(struct told *t);

/* ---- enforce/relabel.c ----------------------------------------------------------------------- */

/* Sessions that are in the cell of another live permit get that permit's label. `old`: the
 * generation in force before; NULL = not known. The next call does what cannot be done now
 * (f->relabel_due). */
void enforce_relabel(struct enforce *f, const struct generation_held *old);

/* ---- enforce/ended.c ------------------------------------------------------------------------- */

/* Reports sessions whose permit has just ended by time. Returns the milliseconds until there may be
 * more, -1 = not soon. */
int enforce_ended(struct enforce *f);
/* As enforce_ended, for `old`, which another generation has replaced: reports what was not reported
 * yet. */
void enforce_ended_leave(struct enforce *f, const struct generation_held *old);
/* Reads the sessions with a limit when it is time. Returns the milliseconds until the next time, -1
 * = not soon. */
int enforce_lasting(struct enforce *f);

/* ---- enforce/used.c -------------------------------------------------------------------------- */

/* Takes the record of uses of an earlier enforce; ignored after the first look. 0 or negative
 * errno: watching begins anew. */
int enforce_used_heard(struct enforce *f, int fd, struct err *e);
/* Sends the record of the last look to the supervisor, unless it has it already. */
void enforce_used_tell(struct enforce *f);
/* Reads the counters only for the record of uses, because they are about to be lost. */
void enforce_used_look(struct enforce *f);
/* Takes a dump that was made while f->now was in force. Reports to the journal when that is due, or
 * `at_once`. */
void begun_looked(struct enforce *f, const struct image *have, bool at_once);
void begun_free(struct begun *b);

/* ---- enforce/verify.c ------------------------------------------------------------------------ */

struct difference {
	const char *where; /* "set exact4", "chain forward", a setting's name, "table" */
	/* extra, missing, changed, foreign, sysctl; for a packet: passes, refused, otherwise; for a
	 * chain: hook, policy; for the table: flags; for a set: shape */
	const char *what;
	/* what was found: a rule, an element, a value; "" when the other members say it */
	const char *detail;
	const char *want; /* the expected value, NULL = not given */
	uint32_t line;	  /* policy line, 0 = none */
	bool ours;	  /* the difference is in our table, so it is mended */
};

struct differences {
	struct arena *arena; /* borrowed */
	struct difference *list;
	size_t n, room;
	bool table_gone; /* the whole table is missing */
	size_t ours;	 /* number of differences in our table (settings not counted) */
	size_t foreign, settings;
	uint64_t packets; /* number of test packets */
};

/* Reads everything back and compares. 0 (also if there are differences) or negative errno. */
int enforce_verify(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
/* As enforce_verify, for our table only, without settings. */
int enforce_compare(struct enforce *f, struct arena *a, struct differences *ret, struct err *e);
void enforce_labels_forget(struct enforce *f);
/* `ir`: the policy with which it was compared. */
json_t *differences_json(const struct differences *d, const struct ir *ir);

/* ---- enforce/effective.c --------------------------------------------------------------------- */

json_t *enforce_effective(struct enforce *f, struct err *e); /* NULL on failure */

/* ---- enforce/work.c -------------------------------------------------------------------------- */

/*
 * Long work is ended when nobody waits for it, and the messages that arrive meanwhile are kept.
 *
 * Begins work on a question, which may then be interrupted. `way`: also by a person's order about
 * an isolation or a door. False: it must not be begun.
 */
bool stop_begin(struct enforce *f, uint32_t id, bool way);
/* For interrupted work, before stop_end: whether it made way for an order. Then the question, which
 * has no texts and no descriptors, is queued again after the messages that came meanwhile, and must
 * not be answered now. */
bool stop_made_way(struct enforce *f, const struct msg *m);
/* `left_off`: the work was interrupted, which is counted if somebody had asked for it. */
void stop_end(struct enforce *f, bool left_off);
/* Whether the present work has to be interrupted. Always false outside of stop_begin and stop_end.
 * Cheap: long work calls it often. */
bool stop_asked(struct enforce *f);
/* Whether messages were received meanwhile that stop_serve has to handle. */
bool stop_keeps(const struct enforce *f);
/* Handles the next message, in the order of arrival; otherwise as msg_serve. */
int stop_serve(struct enforce *f, msg_handler *const handlers[MSG_TYPE_COUNT]);
/* Reports the progress of a question to an asker who wanted such reports: a few messages a second.
 * It never waits; an asker who does not read them loses them. Nothing is reported outside of
 * telling_begin and telling_end, for instance when enforce compares the rules by itself. */
void telling_begin(struct enforce *f, uint32_t id, bool wanted);
void telling_end(struct enforce *f);
/* The work enters this stage; reported when the next message is due. */
void telling_stage(struct enforce *f, enum progress_stage stage);
/* `done` of `of` is done; reported when the next message is due. Cheap: long work calls
 * it often. */
void telling_count(struct enforce *f, size_t done, size_t of);
/* As telling_count, with what f->net has read so far. */
void telling_read(struct enforce *f);

/* ---- enforce/status.c ------------------------------------------------------------------------ */

json_t *enforce_status(struct enforce *f, struct err *e);
void enforce_unanswered(struct enforce *f); /* called in each look */

/* ---- enforce/sockets.c ----------------------------------------------------------------------- */

/*
 * Which kernel index each interface of the box has now, with notification of changes. Indexes are
 * part of every element's key, so an interface that disappears and returns is denied until its
 * elements are changed. On a NETLINK_ROUTE socket in the data namespace; never changes a link.
 */
/* An owned non-blocking descriptor that becomes readable when a link comes, goes or is renamed;
 * negative errno. */
int links_open(struct err *e);
/* Discards the notifications that wait. */
void links_drain(int fd);
/* Writes the kernel index of each interface to `interfaces` of the generation; 0 = not in this
 * namespace. True when one differs from the earlier value. */
bool links_resolve(int fd, struct generation_held *g);
/* Whether each interface of the generation has a link now, into ret[ir->n_interfaces]. */
void links_up(int fd, const struct ir *ir, bool *ret);

/* ---- enforce/monitor.c ----------------------------------------------------------------------- */

int monitor_open_delay(void);	       /* an owned descriptor, or -1 */
void monitor_sleep(struct enforce *f); /* before poll() */
void monitor_woken(struct enforce *f); /* after poll(), when the monitor is readable */
/* Reads the reported changes without waiting, and turns forwarding off if our table may have been
 * changed. Long work calls it often. */
void monitor_glance(struct enforce *f);
/* Turns forwarding off, because the table is wrong or could not be read, since `since_ns` at the
 * earliest. */
void monitor_shut(struct enforce *f, uint64_t since_ns);

/*
 * A change of the rules by others: to the journal one event for each difference, with the state
 * before and after and the author; to the supervisor one line. Collected while differences are
 * found, sent when the outcome is known.
 */
#define RECORD_EVENTS 8u /* events of one change; the last one tells how many more there were */

struct drift_record {
	struct event list[RECORD_EVENTS];
	unsigned n;
	size_t more;
};

/* Adds a difference. `before`: what the policy says; `after`: what was found; "" = nothing. */
void record_add(struct drift_record *r, const char *object, const char *before, const char *after);
void record_differences(struct drift_record *r, const struct differences *d);
/* As record_differences, for differences that were found at a start. Elements may differ because a
 * device has another index; rules and chains may not. */
void record_unwatched(struct drift_record *r, const struct differences *d);
/*
 * Sends the events. `gap_us`: for how long the changed rules may have been in effect; `back_us`:
 * for how long nothing passed afterwards. `trouble`: why it could not be mended; "" = it was. The
 * author and the kinds of changes come from f->meddling.
 */
void record_send(struct enforce *f, struct drift_record *r, enum drift what, uint64_t gap_us, uint64_t back_us,
		 const char *trouble);
/* Records that forwarding is on again, if a DRIFT_SHUT was recorded. */
void record_opened(struct enforce *f);

/* ---- enforce/drift.c ------------------------------------------------------------------------- */

void drift_settle(struct enforce *f);	/* handles the reported changes */
void drift_links(struct enforce *f);	/* an interface appeared or disappeared */
void drift_settings(struct enforce *f); /* to be called twice a second */
/* Compares everything although no change was reported. If f->clock_due is set, the reason is that
 * the clock was set. */
void drift_look(struct enforce *f);

#endif
