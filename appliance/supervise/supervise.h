/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: opens what needs root, starts the roles, watches and restarts them, keeps the generations, and answers
 * the control socket. One process, one thread, one poll loop that never waits for anybody; it reads no packet and no
 * policy text. Its death ends all roles and leaves the rules in force.
 *
 * This header is for the files supervise*.c and control.c alone:
 *   supervise/role.c          start, loop, end
 *   supervise/guard.c    namespaces, lock and deny base: before anything else, and alone
 *   supervise/notify.c   to the service manager: ready, alive, ending
 *   supervise/standing.c what stands without a daemon
 *   supervise/leave.c    what the end of the daemon leaves behind
 *   supervise/spawn.c    a role's process: descriptors, namespace, execution
 *   supervise/sockets.c  what is opened in other namespaces and handed to roles
 *   supervise/roles.c    life and death of roles, restarts, messages from them
 *   supervise/workers.c  pairs of gate and worker, queue sockets, command tables
 *   supervise/policy.c   a generation in memory: unseal, permit ids, table image
 *   supervise/operation.c  the one operation that changes what is in force: beginnings, ends, deadlines
 *   supervise/apply.c    its steps
 *   supervise/kept.c     devices that were taken, and their way back
 *   supervise/taking.c   whose sessions end when a device is taken
 *   supervise/trial.c    what a trial forbids, how it ended, where a rollback goes
 *   supervise/impact.c   what the operation will do to live sessions, asked of the workers before it is done
 *   supervise/stamps.c   which generation a permit comes from, and who is told what is in force
 *   supervise/kernel.c   the messages that carry a generation to enforce and journal
 *   supervise/network.c  addresses, links and routes that somebody else changed
 *   supervise/cuts.c     sessions that a policy has ended, to the workers
 *   supervise/pairs.c    between whom gates answer segments of no session
 *   supervise/interfaces.c  the box's links, and what stands beside them
 *   supervise/watch.c    roles that live but do nothing
 *   supervise/answers.c  questions that several roles answer
 *   supervise/answers_json.c  what they answered, as one object
 *   supervise/show.c     texts and records of generations
 *   supervise/control.c  the control socket
 *   supervise/dispatch.c what anybody may say to the supervisor
 *   supervise/told.c     what enforce tells of live sessions
 *   supervise/role_json.c  what the other roles say of themselves, for people
 */
#ifndef SEKISHO_SUPERVISE_SUPERVISE_H
#define SEKISHO_SUPERVISE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/box.h"
#include "appliance/role/vigil.h"
#include "appliance/store/generation.h"
#include "appliance/store/permit_ids.h"
#include "appliance/supervise/told.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pulse.h"
#include "policy/ir/ir.h"

struct supervise_options {
	const char *data_netns, *admin_netns, *state, *run;
	enum lang lang;
	uint32_t workers; /* pairs of each kind at least; a generation may ask for more */
};

/* The daemon; returns its exit status. */
int supervise(const struct supervise_options *o);
/* The deny base alone: makes both namespaces and loads it, or finds it; returns the exit status. */
int supervise_base(const struct supervise_options *o);
/*
 * Without a daemon: gives the device back (NULL: all of them), or with `list` only says which there are. Prints one JSON object as the
 * daemon answers it; returns the exit status.
 */
int release_alone(const struct supervise_options *o, const char *device, bool list);
/* Without a daemon: prints the answer to "status" or "effective" as JSON; returns the exit status that goes with it. */
int supervise_standing(const struct supervise_options *o, const char *question);

/* ---- roles -------------------------------------------------------------------------------------------------------- */

enum {
	SLOT_JOURNAL,
	SLOT_ENFORCE,
	SLOT_TAP,
	SLOT_MGMT,
	SLOT_COMPILE,
	SLOT_GATE,			 /* + number of the pair */
	SLOT_DPI = SLOT_GATE + PAIR_MAX, /* + number of the pair */
	SLOTS = SLOT_DPI + PAIR_MAX
};

enum slot_state {
	SLOT_OFF,      /* not wanted now */
	SLOT_DEAD,     /* to be started at restart_at */
	SLOT_STARTING, /* running, not yet MSG_READY */
	SLOT_RUNNING,
};

struct slot {
	enum role role;
	uint32_t index;
	enum slot_state state;
	pid_t pid;
	int pidfd, chan, stat;	 /* -1 = none; stat: /proc/PID/stat */
	int event_in, event_out; /* the event socket outlives every process of this role: records wait in it */
	uint64_t started, ready_by, restart_at; /* monotonic ns */
	uint64_t since_wall;			/* wall ns of the last start */
	struct err failed;			/* why the last start failed */
	uint32_t restarts, quick;		/* quick: deaths in a row soon after a start */
	uint32_t asked;				/* how it is: the question without an answer, 0 = none */
	bool long_work;				/* it does something long and is not asked meanwhile */
	struct vigil vigil;			/* since then */
	uint64_t heard;				/* monotonic ns: it was ready, answered, or was at something long */
};

/* ---- a generation in memory ------------------------------------------------------------------------------------- */

struct policy {
	uint64_t number; /* 0: the empty one, which allows nothing */
	uint8_t *sealed;
	size_t n_sealed;
	struct arena *arena;
	struct ir *ir;
	uint32_t *ids;	/* per permit index */
	uint8_t *image; /* command table of exactly this generation */
	size_t n_image;
};

/* Takes `sealed` (malloc'd) whatever happens. NULL and *e on failure. Permit ids are on disk when it returns. */
struct supervisor;
struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e);
struct policy *policy_empty(struct supervisor *s, struct err *e); /* number 0: no zones, no conduits */
struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e); /* 0 gives the empty one */
/* What found no room on the disk is tried again while nothing else is done. */
void unsaved_due(struct supervisor *s, uint64_t now);
uint64_t unsaved_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = nothing waits */
void policy_free(struct policy *p);		   /* accepts NULL */
/* This generation's table, with those permits of `old` (or NULL) that left under on_tighten = "new_flows", and of
 * `table` what lingered before. malloc'd; NULL when memory is out. */
uint8_t *policy_table(const struct policy *p, const struct policy *old, const uint8_t *table, size_t n_table,
		      size_t *ret_n);
/* The memfd of MSG_APPLY and MSG_GENERATION; owned by the caller, negative errno on failure. */
int policy_memfd(const struct policy *p);

struct stamp {
	uint32_t permit;
	struct event_generation of;
};

/* Of a command table: one a permit, in its order. */
struct stamps {
	struct stamp *list; /* owned */
	uint32_t n;
};

/* ---- who asked ---------------------------------------------------------------------------------------------------- */

#define CLIENTS 16u

struct asker {
	enum { ASKER_NONE, ASKER_CLIENT, ASKER_MGMT } kind;
	uint32_t client;
	uint64_t serial; /* of that client's connection: an answer never reaches a successor */
	uint32_t id;	 /* request id */
};

struct client; /* of control.c */

/* Who said something. */
struct peer {
	struct supervisor *s;
	struct slot *slot; /* of a role; NULL for one at the control socket */
	struct asker asker;
	const char *by; /* the login behind a question */
};

/* ---- the operation ------------------------------------------------------------------------------------------------ */

enum op_kind {
	OP_NONE,
	OP_BOOT, /* what was in force is made true again: at start, and for a new enforce */
	OP_APPLY,
	OP_DRY_RUN,
	OP_ROLLBACK, /* asked for */
	OP_REVERT,   /* trial over */
	OP_CONFIRM,  /* done at once, when its turn comes */
	OP_RELEASE,  /* likewise: devices go back to the first namespace */
};

enum op_step { STEP_COMPILE, STEP_TABLES, STEP_ENFORCE, STEP_FORETELL, STEP_IMPACT, STEP_KERNEL, STEP_UNDO };

struct foretelling; /* of impact.c: what it will do to live sessions */

struct operation {
	enum op_kind kind;
	enum op_step step;
	struct asker asker;
	char by[BY_BYTES], comment[COMMENT_BYTES];
	bool take_over;	   /* an apply that may end another one's trial */
	bool back;	   /* OP_DRY_RUN of a rollback */
	uint64_t to;	   /* a rollback: the generation asked for, 0 = the last that meant something else */
	uint64_t from;	   /* what was in force when it began */
	uint32_t id;	   /* request id towards roles */
	uint64_t deadline; /* monotonic ns, of the step */
	uint32_t confirm_s;
	int bundle;	     /* -1, or the texts to compile; owned */
	bool compiling;	     /* a compile role works on them */
	bool ended_silent;   /* workers that took no table were ended, once */
	uint64_t number;     /* stored as, 0 = not stored */
	struct policy *next; /* owned until it is in force */
	bool *moved;	     /* devices that came for it */
	json_t *kept_before; /* what was known of devices before that; owned */
	json_t *given_back;  /* what came of those that went back; owned, NULL = none did */
	json_t *agreed;	     /* names of interfaces that may be taken although sessions ride on them; owned */
	json_t *taking;	     /* what it takes, and whose sessions end by it; owned */
	char device[16];     /* OP_RELEASE: which, "" = all */
	uint8_t *before;     /* the workers' table as it was, put back when it is given up; owned */
	size_t n_before;
	json_t *diagnostics;		 /* owned reference, NULL = none */
	struct told told;		 /* by enforce, the last time */
	struct foretelling *foretelling; /* owned, NULL = not yet, or not asked */
	bool foretold;			 /* as far as it can be */
	struct sentence error;		 /* why it failed */
	int status;			 /* exit status of a failure */
	uint32_t line;			 /* policy line of a refusal, 0 = none */
};

/* ---- questions to roles ------------------------------------------------------------------------------------------- */

enum collect_kind {
	COLLECT_NONE,
	COLLECT_STATUS,
	COLLECT_EFFECTIVE,
	COLLECT_VERIFY,
	COLLECT_PASS,
	COLLECT_IMPACT, /* nobody asked: the operation goes on with it */
};

struct collect; /* one question and its answers: answers_private.h */

/* ---- everything --------------------------------------------------------------------------------------------------- */

#define NETWORKS 2

struct pair {
	bool wanted;
	uint8_t slots; /* of every lane of its kind; for as long as this daemon lives */
	int queues
		[LANE_COUNT]; /* a socket for its slots of each lane, -1 = none; stay open over any death of the pair */
	int ring, wake;	      /* of the worker alive, -1 = none */
	int pulse_fd;	      /* of its gates, one after the other; -1 = none */
	struct pulse *pulse;
	uint32_t pulse_seen;
	struct vigil vigil; /* since it last moved */
	bool poked;	    /* since then it was given something to wake up for */
	uint8_t ack[32];    /* digest of the table it has, once acked */
	uint32_t owed;	    /* acknowledgements of earlier tables and this one that are still to come */
	bool acked;
};

struct supervisor {
	const struct supervise_options *o;
	struct box_spaces spaces, scratch; /* where we are; where a dry run tries */
	int state_fd, run_fd, signal_fd, listen_fd, trial_fd;
	int mgmt_fd;		  /* the web side's listening socket */
	int link_fd;		  /* tells of devices that come into the initial namespace */
	int network_fd[NETWORKS]; /* tell of links, addresses and routes of the data and the admin namespace */
	bool ending;
	struct event_port events; /* the supervisor's own; the journal reads events_out */
	int events_out;
	struct slot slots[SLOTS];
	struct pair pairs[PAIR_MAX];
	uint32_t cores; /* that workers may use, as of the start */
	uint32_t workers_asked
		[LANE_KINDS]; /* by the generation or the option, whichever is more; or what suits the box */
	uint32_t workers_run[LANE_KINDS]; /* pairs that the slots are divided among; 0 = no lane of this kind yet */
	uint64_t lanes;			  /* bit n: queue sockets of lane n exist */
	int table_fd;			  /* sealed memfd: the image every worker shall have; -1 = none */
	uint8_t *table;
	size_t n_table;
	uint8_t table_digest[32];
	struct stamps stamps;	       /* of `table` */
	struct remembered *remembered; /* of kernel.c; owned */
	uint32_t next_id;
	struct generation_store store;
	json_t *kept; /* store/kept.h: what devices were; owned */
	struct permit_ids ids;
	struct policy *now;	       /* in force, never NULL once started */
	const struct policy *pairs_of; /* what pairs_fd was made from; only compared */
	int pairs_fd;		       /* -1 = none */
	bool booted;		       /* `now` was once made true since the start */
	bool adopted;		       /* this enforce knows what stands in the kernel */
	uint64_t trial;		       /* generation on trial, 0 = none */
	uint64_t trial_until_wall;
	uint64_t save_again;	     /* monotonic ns: when to try to write what found no room; 0 = not tried yet */
	uint64_t boot_again;	     /* monotonic ns: try once more to make `now` true; 0 = no need */
	bool box_incomplete;	     /* a device of `now` is missing or would not be set */
	struct sentence boot_error;  /* why the last try failed */
	struct sentence store_error; /* why the confirmed generation could not be read, until another is in force */
	struct operation op;
	uint32_t changes;	 /* operations that have begun so far */
	struct operation queued; /* one request that waits for an operation of our own */
	/* Each its own file's, made at the start. */
	struct collect *collects; /* answers.c */
	struct client *clients;	  /* control.c */
	uint64_t next_serial;	  /* of the next one */
	struct watch *watch;	  /* watch.c */
	struct network *network;  /* network.c */
	struct notify *notify;	  /* notify.c */
};

/* supervise/role.c */
uint64_t mono_ns(void);
void say(const struct supervisor *s, enum message m, ...); /* one line on standard error */
void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what);
void policy_event(struct supervisor *s, enum policy_event what, uint64_t number);
/* Runs `open_in(ctx)` in the namespace and comes back whatever happens. */
int in_namespace(struct supervisor *s, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e);

/* supervise/guard.c. *adopted: rules of a predecessor stood. Before this has succeeded no interface is touched. */
int guard_enter(struct supervisor *s, bool *adopted, struct err *e);

/* supervise/notify.c */
int notify_open(struct supervisor *s, struct err *e);
void notify_due(struct supervisor *s, uint64_t now);
uint64_t notify_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
void notify_ending(struct supervisor *s);

/* supervise/standing.c: leaves word in the run folder of what is looked at when this daemon is gone */
void standing_note(const struct supervisor *s);

/* supervise/leave.c: on standard error, where each interface stays and what decides there from now on */
void leave_say(const struct supervisor *s);

/* supervise/spawn.c: descriptors fds[n] become ROLE_FD_FIRST and on; nsfd -1 = stay. 0 or negative errno. */
int spawn(struct supervisor *s, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

/* supervise/sockets.c: what a role gets besides its channel. Returns how many, or negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);

/* supervise/roles.c */
int event_pair(int sv[2], struct err *e); /* [0] reads, [1] writes */
void roles_init(struct supervisor *s);
void roles_want(struct supervisor *s, unsigned slot); /* from now on it shall run */
void roles_start_due(struct supervisor *s, uint64_t now);
uint64_t roles_due(const struct supervisor *s); /* next moment something is due, UINT64_MAX = none */
void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);
void role_kill(struct supervisor *s, struct slot *sl); /* SIGKILL; role_exited follows */
/* To a role; one that cannot take a message is not answering and is killed. False when it was not sent. */
bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n);
void role_ready(struct supervisor *s, struct slot *sl);
bool slot_alive(const struct slot *sl);
/* Which process it is, as people read it. */
#define SLOT_TITLE 32u
const char *slot_title(const struct slot *sl, char out[SLOT_TITLE]);

/* supervise/workers.c */
/* Sockets, pairs and hand-over for what this policy inspects. Of the empty one nothing is. */
int workers_prepare(struct supervisor *s, const struct ir *ir, struct err *e);
/* Says when others run than are asked for. False: there is nothing to say. */
bool workers_notice(const struct supervisor *s, struct sentence *ret);
bool worker_start(struct supervisor *s, uint32_t w);
bool gate_start(struct supervisor *s, uint32_t w);
void worker_died(struct supervisor *s, uint32_t w);
void gate_died(struct supervisor *s, uint32_t w);
void worker_hung(struct supervisor *s, uint32_t w, const struct msg_hung *who);
void worker_acked(struct supervisor *s, uint32_t w, const uint8_t digest[32]);
/* Takes `image` (malloc'd) and sends it to all workers. */
int table_set(struct supervisor *s, uint8_t *image, size_t n, const struct policy *p, bool in_force, struct err *e);
void workers_end_silent(struct supervisor *s); /* those that owe an answer about their table */
enum table_state { TABLE_WAIT, TABLE_EQUAL, TABLE_REFUSED } table_state(const struct supervisor *s);

/* supervise/operation.c and supervise/apply.c, to each other */
#define TABLES_LIMIT_NS 2000000000ull
#define COMPILE_LIMIT_NS 90000000000ull
#define ENFORCE_LIMIT_NS 5000000000ull
#define KERNEL_LIMIT_NS 30000000000ull
/* Why it failed, for people; the first reason stays. `status`: the exit status of the answer. */
void op_explain(struct supervisor *s, int status, enum message m, ...);
void op_finish(struct supervisor *s, bool done); /* answers, tidies up, takes the next one that waits */
void op_give_up(struct supervisor *s);		 /* what was prepared is put back, then op_finish */
void op_compile_begin(struct supervisor *s);
void op_try(struct supervisor *s);     /* op.next is there: all that can be tried of it, and the end */
void op_prepare(struct supervisor *s); /* op.next is there: devices, queues, tables, and on */
void op_to_kernel(struct supervisor *s);
void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds); /* 0 = none */

/* supervise/trial.c: each says why not */
void trial_none(struct supervisor *s);	    /* nothing waits to be confirmed; ends it */
bool trial_stands(struct supervisor *s);    /* another's trial stands in the way of this apply; then ends it */
bool rollback_target(struct supervisor *s); /* into op.number; false: nowhere, the caller ends it */

/* supervise/operation.c and supervise/apply.c, to others */
/* Takes `bundle`. Each answers the asker itself, now or later. */
void op_apply(struct supervisor *s, struct asker a, const char *by, int bundle, int agreed,
	      const struct msg_ctl_apply *order);
void op_confirm(struct supervisor *s, struct asker a, const char *by);
void op_rollback(struct supervisor *s, struct asker a, const char *by, int agreed,
		 const struct msg_ctl_rollback *order);
void op_boot(struct supervisor *s);
void op_trial_over(struct supervisor *s);
/* Devices came: those that belong to the box are taken in soon. */
void op_links(struct supervisor *s);
void op_compiled(struct supervisor *s, struct msg *m);
void op_applied(struct supervisor *s, struct msg *m);
void op_tables(struct supervisor *s); /* a worker acknowledged, or is new */
void op_enforce_ready(struct supervisor *s);
void op_enforce_died(struct supervisor *s);
void op_compile_died(struct supervisor *s, const siginfo_t *how);
void op_due(struct supervisor *s, uint64_t now);
uint64_t op_next(const struct supervisor *s);

void op_release(struct supervisor *s, struct asker a, const char *by, const struct msg_ctl_release *order);

/* supervise/taking.c */
/* The names in a memfd that came with an order (-1 = none): a new array. */
json_t *taking_agreed(int fd);
/* Into op.taking. False after saying that somebody has to agree first. */
bool taking_allowed(struct supervisor *s);

/* supervise/kept.c */
int kept_open(struct supervisor *s, struct err *e);
/* What the devices of `ir` are, on the disk, before they are moved. */
int kept_take(struct supervisor *s, const struct ir *ir, struct err *e);
/* It was released by a person's order, and this is not another one. */
bool kept_left_alone(const void *supervisor, const char *device);
/* Those that came for a policy that is given up go back, and `before` (taken) is what is known again. */
void kept_undo(struct supervisor *s, const struct ir *ir, const bool *moved, json_t *before);
/* Those that are not of the policy in force go back; `going_back`: also those that an apply left out. */
void kept_settle(struct supervisor *s, bool going_back);
/* An apply left them out: they stay where they are, silent. */
void kept_retire(struct supervisor *s, const struct ir *old);
/* By order: one, by its own name or the policy's, or all. False: the box has none of that name. */
bool kept_release(struct supervisor *s, const char *name, bool all);
/* Nothing was lost on the way. */
bool given_back_whole(const json_t *reports);

/* supervise/impact.c: between enforce's word of what changes and the change */
void impact_begin(struct supervisor *s); /* of op.told; goes on with op_foretold */
/* What one worker says to a question. False: it may not say that. */
bool impact_told(struct supervisor *s, struct msg *m);
/* Everybody has who will; `silent`: somebody did not. */
void impact_answered(struct supervisor *s, uint32_t question, bool silent);
void impact_late(struct supervisor *s);	 /* the step took too long */
void impact_free(struct foretelling *f); /* accepts NULL */
/* What people are told, into the answer of the operation. */
void impact_json(const struct operation *op, json_t *answer);
void op_foretold(struct supervisor *s);

/* supervise/kernel.c: the steps that change something outside */
int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e);
void journal_generation(struct supervisor *s, const struct policy *p);
/* Without telling it yet: a journal that is not there hears it when it starts. */
void journal_remember(struct supervisor *s, const struct policy *p);
/* A new journal: the generations of which records may still come. */
void journal_generations(struct supervisor *s);

/* supervise/stamps.c. Permits of `p` are its own when it is in force, or when nobody had them before; the others stay as in
 * `old`. *ret is the caller's to free. */
int stamps_make(const struct stamps *old, const uint8_t *image, size_t n, const struct policy *p, bool in_force,
		struct stamps *ret);
/* Whoever notices something without a table hears by which generation it is decided from now on. */
void in_force_tell(struct supervisor *s);
void in_force_tell_one(struct supervisor *s, const struct slot *sl);

/* supervise/network.c: addresses, links and routes that others changed */
int network_open(struct supervisor *s, struct err *e);
void network_heard(struct supervisor *s, int fd);
void network_due(struct supervisor *s, uint64_t now);
uint64_t network_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
/* How often they had to be set right, and when the last time (wall ns). */
uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns);

/* supervise/interfaces.c: the box's links as they are now, for people; owned by the caller */
json_t *json_interfaces(const struct supervisor *s);
/* What is not as box.cfg says, and what is in the data namespace beside it: objects as in verify's "differences". */
json_t *json_surroundings(const struct supervisor *s);

/* supervise/watch.c: roles that live but do nothing */
void watch_due(struct supervisor *s, uint64_t now);
uint64_t watch_next(const struct supervisor *s); /* monotonic ns */
int watch_open(struct supervisor *s, struct err *e);
void watch_answered(struct slot *sl, uint32_t id);

/* supervise/cuts.c: to the workers */
void cuts_tell(struct supervisor *s, const struct told *t);
void cuts_hand_on(struct supervisor *s, int fd); /* a list as wire/cuts.h has it; the descriptor stays the caller's */

/* supervise/pairs.c */
void pairs_tell(struct supervisor *s, struct slot *gate);

/* supervise/answers.c */
int collect_open(struct supervisor *s, struct err *e);
/* Something longer than its status is asked of it. */
bool collect_busy(const struct supervisor *s, unsigned slot);
void collect_start(struct supervisor *s, enum collect_kind k, struct asker a);
/* An operation is over: what waited for its end is asked now. */
void collect_settled(struct supervisor *s);
/* One role alone is asked; its answer goes through. */
void collect_pass(struct supervisor *s, unsigned slot, const struct msg_body *question, struct asker a);
/* Every worker gets this question; impact_told and impact_answered follow. */
void collect_impact(struct supervisor *s, uint32_t question, const struct msg_impact *body, int fd);
void collect_answer(struct supervisor *s, struct slot *sl, struct msg *m);
void collect_status(struct supervisor *s, struct slot *sl, struct msg *m); /* a role's own numbers */
bool collect_foretold(struct supervisor *s, struct slot *sl, struct msg *m);
void collect_gone(struct supervisor *s, struct slot *sl);
void collect_due(struct supervisor *s, uint64_t now);
uint64_t collect_next(const struct supervisor *s);

/* supervise/answers_json.c */
json_t *answers_silent(enum role r); /* an error: this role did not answer */
/* The sentence in every language, {"en": ..., "ja": ...}: who asks chooses. */
json_t *json_sentence(enum message m, ...);
json_t *json_generation(const struct supervisor *s);
json_t *json_history(const struct supervisor *s);
json_t *json_record(const struct supervisor *s, const struct generation_record *g);

/* supervise/show.c: the texts of a generation that is kept, and of the one before it */
void show_generation(struct supervisor *s, struct asker a, uint64_t number); /* 0 = the one in force */
/* A moment as people read it, in the box's own time. */
void moment_text(uint64_t wall_ns, char out[40]);

/* supervise/control.c */
int control_open(struct supervisor *s, struct err *e);
void control_accept(struct supervisor *s);
/* The descriptor of client number `at` below CLIENTS, -1 = none. */
int control_client(const struct supervisor *s, unsigned at);
void control_readable(struct supervisor *s, unsigned at);
/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
void answer_fd(struct supervisor *s, struct asker a, int status, int fd); /* fd stays the caller's */

/* supervise/dispatch.c: what was received is done. False: it may not be said, or not by this one. */
bool peer_said(struct peer *p, struct msg *m);

#endif
