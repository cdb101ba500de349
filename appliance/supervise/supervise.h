/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor opens what needs root, starts, watches and restarts the roles, keeps the
 * generations, and carries out the orders that change the box. It is one process with one thread
 * and one poll loop that never waits for anybody. It reads no packet and no policy text. If it
 * ends, all roles end, and the rules stay in force.
 *
 * The files:
 *
 * role.c        start, loop, end, and what the end leaves behind
 * notify.c      messages to the service manager: ready, alive, ending
 * ground.c      helpers: time, a line for people, a record, a message to a role
 * guard.c       namespaces, lock and deny base; rules for cards outside the box; turns forwarding
 *                 off if enforce does not
 * folders.c     checks the folders of the roles; sockets that people connect to
 * network.c     addresses, links and routes that other programs changed
 * roles.c       start, end and restart of roles; spawn.c starts a process, sockets.c opens its
 *                 descriptors, watch.c ends it when it hangs
 * workers.c     pairs of gate and worker, queue sockets, command tables; once.c the verdict cache
 * policy.c      a generation in memory, and the messages that carry it
 * operation.c   the operation that changes what is in force: its beginning and deadlines, trials
 *                 (operation.h); apply.c its steps, op.c its end
 * kept.c        network devices that the box took, and how they are given back
 * persons.c     accepts people at the machine, and reads their orders
 * orders.c      orders of people, and the check of who gave them; records.c names them in those
 *                 that the journal carries out
 * relay.c       questions of control to other processes, and their answers; what enforce keeps on
 *                 the disk
 * told.c        what control is told: the state, counts, answers to orders
 * dispatch.c    messages of roles, what follows from a role's death, and control's work for a
 *                 compiler
 * companions.c  settings of the programs for mail, SNMP and logs; the UPS
 *
 * A function NAME_due does what its part has to do by the clock at `now`, in monotonic ns. It
 * returns when it is to be asked again; UINT64_MAX: not before something happens (role.c).
 */
#ifndef SEKISHO_SUPERVISE_SUPERVISE_H
#define SEKISHO_SUPERVISE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/box/box.h"
#include "appliance/box/companions.h"
#include "appliance/box/sysctl.h"
#include "appliance/cache/load.h"
#include "appliance/role/partition.h"
#include "appliance/role/said.h"
#include "appliance/role/vigil.h"
#include "appliance/store/generation.h"
#include "appliance/store/permit_ids.h"
#include "appliance/wire/event.h"
#include "appliance/wire/kept_counts.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/table_merge.h"
#include "policy/ir/ir.h"

struct supervisor;
struct ucred;

/* ---- the roles: each process has a slot ------------------------------------------------------ */

struct slot {
	unsigned number; /* wire/slot.h */
	enum role role;
	uint32_t index;
	enum slot_state state;
	pid_t pid;
	int pidfd, chan, stat; /* -1 = none; stat: /proc/PID/stat */
	/* the event socket outlives every process of this role: records wait in it */
	int event_in, event_out;
	uint64_t started, restart_at; /* monotonic ns */
	uint64_t since_wall;	      /* wall ns of the last start */
	struct err failed;	      /* why the last start failed */
	uint32_t restarts, quick;     /* quick: deaths in a row soon after a start */
	uint32_t asked;		      /* id of the status question without an answer, 0 = none */
	/* other questions of control that it has not answered yet */
	uint32_t works;
	bool renewed;	    /* it was ended on purpose, to be started again */
	bool long_work;	    /* it does a long task, and is not asked for its status meanwhile */
	struct vigil vigil; /* measures the process since it was last heard */
	/* since its start, or since enforce was given its present task */
	struct vigil work;
	/* Monotonic ns: when it was last ready, answered, or began a long task; later by the time
	 * in which it had no core. */
	uint64_t heard;
};

/* spawn.c: starts a role's process. fds[0..n) become its descriptors from ROLE_FD_FIRST on; nsfd:
 * the network namespace that it enters, -1 = none. 0 or negative errno. */
int spawn(const struct partition *p, struct slot *sl, const int *fds, size_t n, int nsfd, struct err *e);

/* sockets.c: opens the descriptors that a role gets besides its channel. Returns their number, or
 * negative errno with nothing left open. */
#define ROLE_FDS 5
int role_descriptors(struct supervisor *s, const struct slot *sl, int fds[ROLE_FDS], int *nsfd, struct err *e);
/* A socket for slots of a lane in the data namespace; owned by the caller. */
int queue_socket(struct supervisor *s, uint32_t lane, uint8_t slots, struct err *e);

/* ground.c */
int event_pair(int sv[2], struct err *e);	       /* [0] reads, [1] writes */
void role_kill(struct supervisor *s, struct slot *sl); /* SIGKILL; role_exited follows */
/* As role_kill, but on purpose: the role is started again at once, and this counts as no
 * failure. */
void role_renew(struct supervisor *s, struct slot *sl);
/* Sends a message to a role. A role whose socket is full does not answer any more, and is killed.
 * False when it was not sent. */
bool role_send(struct supervisor *s, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n);
bool slot_alive(const struct slot *sl);
/* The name of the process for people. */
#define SLOT_TITLE 32u
const char *slot_title(const struct slot *sl, char out[SLOT_TITLE]);

/* roles.c */
void roles_init(struct supervisor *s);
/* from now on the slot's process is to run */
void roles_want(struct supervisor *s, unsigned slot);
uint64_t roles_due(struct supervisor *s, uint64_t now); /* starts what is to be started */
/* Notes that the slot's process has ended, and when to start the next one; *ret_how says how it
 * ended. False: it has not ended. */
bool role_reap(struct supervisor *s, struct slot *sl, siginfo_t *ret_how);

/* dispatch.c */
void role_exited(struct supervisor *s, struct slot *sl);
void role_readable(struct supervisor *s, struct slot *sl);

/* watch.c: roles that are alive but hang */
uint64_t watch_due(struct supervisor *s, uint64_t now);
int watch_open(struct supervisor *s, struct err *e);
/* A role has given its sign of life. */
bool watch_answered(struct supervisor *s, struct slot *sl, struct msg *m);

/* ---- a generation in memory, and the generation that a permit comes from --------------------- */

struct policy {
	uint64_t number; /* 0: the empty generation, which allows nothing */
	uint8_t *sealed;
	size_t n_sealed;
	struct arena *arena;
	struct ir *ir;
	uint32_t *ids;	/* per permit index */
	uint8_t *image; /* command table of exactly this generation */
	size_t n_image;
};

/* policy.c */
/* Takes over `sealed` (malloc'd) in any case. NULL and *e on failure. Permit ids are on disk when
 * it returns. */
struct policy *policy_new(struct supervisor *s, uint8_t *sealed, size_t n, uint64_t number, struct err *e);
/* number 0: no zones, no conduits */
struct policy *policy_empty(struct supervisor *s, struct err *e);
/* 0 gives the empty one */
struct policy *policy_stored(struct supervisor *s, uint64_t number, struct err *e);
/* The sealed bytes of a stored generation in a memfd; negative: there is none. */
int policy_sealed(const struct supervisor *s, uint64_t number);
bool is_unsaved(const struct supervisor *s); /* whether a decision is not on disk yet */
void policy_free(struct policy *p);	     /* accepts NULL */
/* The command table of a generation, and the table that the workers have, as parts of another table
 * (wire/table_merge.h). */
struct table_part policy_part(const struct policy *p);
struct table_part table_part(const struct table *t);
/* Puts into *ret the command table of `p`, with the permits of `old` (or NULL) that were removed
 * under on_tighten = "new_flows", and with the permits of `table` that lingered before. False:
 * memory is out. */
bool policy_table(const struct policy *p, const struct policy *old, struct table_part table, struct table *ret);
/*
 * Makes the memfd for MSG_GENERATION and MSG_APPLY: the sealed generation, the ids of its permits,
 * and of the permits of `table` (NULL: none) the ids or, for the journal, the generations. Owned by
 * the caller; negative errno on failure.
 */
int policy_memfd(const struct policy *p, const struct table *table, bool journal);

/* messages to enforce and the journal */
int kernel_send(struct supervisor *s, struct policy *p, uint8_t flags, uint32_t id, struct err *e);
/* Tells the journal, or the next one, the names of this generation, and which ones live sessions
 * still need. */
void journal_generation(struct supervisor *s, const struct policy *p);
/* Tells the journal how long to keep records. */
void journal_retention(struct supervisor *s);

/* Tells the roles which generation decides from now on. */
void in_force_tell(struct supervisor *s);
/* Tells a role what it needs of the policy in force. */
void role_told(struct supervisor *s, struct slot *sl);
/* Takes the pairs of addresses between which gates may answer TCP segments that belong to no
 * session. Enforce reads them from the generation that it has put into force. */
void pairs_told(struct supervisor *s, struct msg *m);

#include "appliance/supervise/operation.h"

#define SECOND 1000000000ull /* ns */

/* workers.c */
/* Prepares sockets and pairs for the lanes of this policy. The empty policy inspects nothing. */
int workers_prepare(struct supervisor *s, const struct ir *ir, struct err *e);
bool worker_start(struct supervisor *s, uint32_t w);
bool gate_start(struct supervisor *s, uint32_t w);
void worker_died(struct supervisor *s, uint32_t w);

/* ---- once.c ---------------------------------------------------------------------------------- */

/* Loads the verdict cache's program. Without it, or where the kernel refuses it, every packet of a
 * lane is queued, as it is without a cache. */
void once_open(struct supervisor *s);
/* Puts the descriptors of the memory that worker w shares with the kernel into fds[3]. Returns
 * their number. 0: there is no such memory, and each packet of the worker is queued. */
unsigned once_memory(const struct supervisor *s, uint32_t w, int fds[3]);
/* Ends all leases and handshakes of the workers of this kind. */
void once_void(struct supervisor *s, enum lane_kind kind);
/* Worker w has ended. From here on, every new session is queued. The worker's leases stay valid
 * until its successor serves. If the worker crashed, hung or broke rules, all leases end at once,
 * because an attacker may have taken it over. */
void once_died(struct supervisor *s, uint32_t w, const siginfo_t *how);
void gate_died(struct supervisor *s, uint32_t w);
/* A gate says that its worker hangs. */
bool worker_hung(struct supervisor *s, struct slot *gate, struct msg *m);
void worker_acked(struct supervisor *s, uint32_t w, const uint8_t digest[32]);
/* Takes over the table and sends it to all workers. The former table goes to *ret_before; if
 * ret_before is NULL, it is freed. */
int table_set(struct supervisor *s, struct table *t, struct table *ret_before, struct err *e);
/* ends workers that refused the table; their successors get it before any packet */
void workers_end_refusing(struct supervisor *s);
/* The state of the table in all workers together. DISPUTED: some workers accepted it and some
 * refused it, although all decode it in the same way. */
enum table_state { TABLE_WAIT, TABLE_EQUAL, TABLE_DISPUTED, TABLE_REFUSED } table_state(const struct supervisor *s);

/* The supervisor's knowledge of the box as JSON (docs/json.md). The caller owns the objects. */

/* The supervisor's part of control's answer to the question of this name. */
json_t *json_box(struct supervisor *s, enum box_what what);

/* Differences from box.cfg, and additional objects in the data namespace, as in "differences"
 * of verify. */
json_t *json_surroundings(const struct supervisor *s);

/* Relays questions and answers between control and other processes unchanged, and tells control the
 * state of the box. */

/* The state that control has been told. */
struct relay {
	bool told;
	struct msg_standing standing;
	const void *policy; /* only compared */
	uint64_t number;
	/* 1 + `changes` of the store when control was told the history; 0 = it was not told */
	uint32_t past;
	/* control's end of the channel to the web side, until it is sent; -1 = none */
	int web;
};

/* Relays a question of control to the role that its id names. False: the question is
 * not allowed. */
bool relay_out(struct supervisor *s, struct msg *m);
/* Tells control that nobody will answer this question. */
void relay_undone(struct supervisor *s, uint32_t id);
/* Relays the answer of a role to control. False: it is not the answer to a question of control. */
bool relay_back(struct supervisor *s, struct slot *sl, struct msg *m);
/* The slot's process has ended, and will not answer its questions. */
void relay_gone(struct supervisor *s, struct slot *sl);
/* The role has a new process. If it is control, tells it the state, and ends the web side, whose
 * channel to the former control is closed. */
void relay_begin(struct supervisor *s, struct slot *sl);
/* Tells control everything that has changed. To be called once a turn, and before an answer about
 * the box. */
void relay_tell(struct supervisor *s);

/*
 * Counts of packets that were not inspected, or not reported to the tap. Control adds them up and
 * decides when that is an alarm. The supervisor tells control what enforce reads of the kernel's
 * counters, that the tap receives packets, and how many packets the gates have decided
 * (wire/ring.h).
 */

struct counting {
	struct msg_body last; /* of enforce, for the next control; MSG_NONE = none */
	uint64_t look_at;     /* monotonic ns */
};

void counting_told(struct supervisor *s, struct msg *m);
uint64_t counting_due(struct supervisor *s, uint64_t now);

/*
 * Orders of people that change the box. Control is not trusted about who gave them. An order at the
 * machine is read by this process itself (persons.h), and the kernel gives the user. An order over
 * the web comes from control, with the secret of a session; `accounts` names its account and checks
 * the right. Only the state of the draft and its approval are taken from control.
 */

struct orders; /* of orders.c */

/* 0 or negative errno. */
int orders_open(struct supervisor *s, struct err *e);
/* Takes an order over the web, with its descriptors. False: there is no such order. */
bool orders_web(struct supervisor *s, struct msg *m);
/* ... about the records, which the journal or accounts carries out. False: as above. */
bool orders_records(struct supervisor *s, struct msg *m);
/* Takes the order of a person at the machine, and gives his connection to control. `root`: it came
 * by root's socket; its sender is `who`. */
void orders_at_machine(struct supervisor *s, int fd, const struct ucred *who, bool root, struct msg *m);
/* Takes the answer of accounts about the person, or of the role that carries the order out. False:
 * it answers no order. */
bool orders_judged(struct supervisor *s, const struct slot *sl, struct msg *m);
/* Enforce has the policy in force now: gives it the orders that waited for that. */
void orders_again(struct supervisor *s);
/* Enforce's decision on the order that this question belongs to is on the disk. */
void orders_stored(struct supervisor *s, uint32_t question);
/* Takes the answer of control about the draft. */
void orders_grounded(struct supervisor *s, struct msg *m);
/* The asker of this request does not wait any more: dry runs are ended, other orders go on. */
void orders_stop(struct supervisor *s, uint32_t id);
/* Accounts or control has ended, so all waiting orders are void. */
void orders_gone(struct supervisor *s, const struct slot *sl);
uint64_t orders_due(struct supervisor *s, uint64_t now);

/*
 * What enforce keeps on the disk, as bytes that this process does not parse. A new enforce gets
 * them before any apply.
 */

enum paper {
	/* when conduits were used (enforce/matched.h): written every ten minutes, after each apply
	 * and at an orderly end */
	PAPER_USED,
	/* doors that people have opened (enforce/door_book.h): written before a change is valid. If
	 * the file cannot be read, no door is open */
	PAPER_DOORS,
	/* what people have isolated (enforce/isolations.c): written before an order is answered. If
	 * the file cannot be read, enforce isolates everything */
	PAPER_ISOLATIONS,
	/* the latest moment (store/moment.h): written at once. Also in the run folder, which does
	 * not survive a restart of the machine: the disk may be full, and what is open must stay
	 * open after a restart of the daemon */
	PAPER_CLOCK,
	PAPERS
};

struct paper_kept {
	uint8_t *bytes; /* owned; NULL = there are none */
	size_t n;
	bool unsaved;	  /* they are not on the disk */
	bool missed;	  /* the last ones could not be taken */
	uint64_t save_at; /* monotonic ns: not before */
};

void paper_open(struct supervisor *s, enum paper which); /* from the disk */
/* Sends the bytes to enforce. `id`: the order whose change they hold, so that enforce may carry it
 * out; 0 = no order. */
void paper_give(struct supervisor *s, enum paper which, uint32_t id);
/* Enforce's own bytes. False: they cannot be taken; those from before stay. */
bool paper_told(struct supervisor *s, enum paper which, struct msg *m);
/* Adds `one`, which is taken over, to the list that the next enforce gets. False: there is no
 * room. */
bool paper_add(struct supervisor *s, enum paper which, json_t *one);
/* The bytes in a memfd, for control; negative = there are none. */
int paper_memfd(const struct supervisor *s, enum paper which);
void papers_give(struct supervisor *s); /* all of them, to a new enforce */
/* UINT64_MAX: whatever is not on the disk is written now. */
uint64_t papers_due(struct supervisor *s, uint64_t now);

/* Safeguards that do not depend on other processes: no forwarding over cards that are in the first
 * namespace, and no forwarding after the rules were changed from outside. */

/* Rules for cards of the box while they are in the machine's namespace (kernel/small_tables.h). */

/*
 * Sets these rules in the caller's namespace, the first one of the machine. They cover the cards
 * that `kept` (store/kept.h) lists as the box's, and the cards of `ir` that are not in the box.
 * `ir` and `spaces` may both be NULL. 0 or negative errno.
 */
int home_guard(const json_t *kept, const struct ir *ir, const struct box_spaces *spaces, struct err *e);

/*
 * enforce turns forwarding off when it learns that the rules were changed from outside. The
 * supervisor gets the same notice. If enforce does not answer shortly, because it is stopped, has
 * no core or is dead, the supervisor turns forwarding off itself. Only enforce turns it on again,
 * when the rules are right.
 */

struct backstop {
	int monitor; /* owned; -1 = not open yet */
	struct forwarding forwarding;
	/* monotonic ns: when our table was changed, while enforce has not answered; 0 = no answer
	 * is due */
	uint64_t heard_ns;
};

/* To be called before an enforce begins; `requests` is its socket for requests to the kernel. 0 or
 * negative errno. */
int backstop_follow(struct supervisor *s, int requests, struct err *e);
/* Reads notices of the kernel. To be called before messages of enforce are read, because enforce
 * answers a notice that came before. */
void backstop_heard(struct supervisor *s);
void backstop_answered(struct supervisor *s, const struct msg_drift *d);
uint64_t backstop_due(struct supervisor *s, uint64_t now);

/*
 * The UPS of box.cfg. Reads the file of sekisho-ups.service every two seconds, and records changes
 * of the power. When the battery ends, and the policy in force says so, writes the file that makes
 * the machine turn off (sekisho-power-off.path). The program that communicates with the UPS server
 * runs as another user, and only writes its own file; it cannot turn the machine off.
 */

struct ups_state {
	struct ups_watch watch;
	char of[UPS_NAME_MOST]; /* the UPS, "" = none */
	uint64_t look_at;	/* monotonic ns */
	bool turns_off;		/* box.cfg said so at the last look */
};

uint64_t ups_due(struct supervisor *s, uint64_t now);

struct supervise_options {
	const char *data_netns, *admin_netns, *state, *run;
	enum lang lang;
	uint32_t workers; /* least number of pairs of each kind; a generation may ask for more */
};

/* The daemon; returns its exit status. */
int supervise(const struct supervise_options *o);
/* ---- everything ------------------------------------------------------------------------------ */

#define NETWORKS 4
#define NETWORK_RULES 2	 /* index for changes of rules in the data namespace */
#define NETWORK_EGRESS 3 /* index for changes of rules in the admin namespace */

struct pair {
	bool wanted;
	uint8_t slots; /* slots of every lane of its kind; unchanged while this daemon runs */
	/* a socket for its slots of each lane, -1 = none; they stay open when the pair dies */
	int queues[LANE_COUNT];
	int ring, wake;			/* ring and eventfd of the living worker, -1 = none */
	int kept_fd;			/* what its successive workers count; -1 = none */
	const struct kept_counts *kept; /* NULL = none */
	int pulse_fd;			/* pulse of its successive gates; -1 = none */
	struct pulse *pulse;
	uint32_t pulse_seen;
	struct vigil vigil; /* time since the pulse last moved */
	bool poked;	    /* the gate has been sent something since the pulse last moved */
	bool refuses;	    /* its last acknowledgement was not of this table */
	/* outstanding acknowledgements of this table and earlier ones */
	uint32_t owed;
	struct vigil table; /* time since an acknowledgement has been awaited; watch.c */
	bool awaited;
	bool acked;
	bool distrusted; /* the worker hung or broke rules: nothing that it lent outlives it */
};

/* once.c: the verdict cache; `leases` NULL = there is none. By enum lane_kind. */
struct once {
	struct cache cache[LANE_KINDS];
	struct once_handshakes *handshakes[LANE_KINDS];
	struct once_lease *leases; /* of lanes with commands */
};

struct supervisor {
	const struct supervise_options *o;
	/* the namespaces of the box; those in which a dry run tries addresses */
	struct box_spaces spaces, scratch;
	int state_fd, run_fd, signal_fd, trial_fd;
	int listen_fd;		 /* the control socket, which the role control accepts from */
	int logins_fd;		 /* the socket for logins other than root; -1 = none */
	int orders_fd[2];	 /* the same two for orders, accepted here (persons.h); -1 = none */
	int run_lock, data_lock; /* locks of box/netns.h, held as long as the daemon runs */
	int mgmt_fd;		 /* the web side's listening socket */
	/* enforce's socket for requests, which owns the table: every enforce gets the same */
	int rules_fd;
	bool rules_kept; /* the service manager kept rules_fd of an earlier daemon */
	struct backstop backstop;
	int passed_fd; /* notifications of connection tracking for the tap; told.c */
	/* memory of control and of the journal, sockets.c; -1 = not made yet */
	int alarms_fd, names_fd;
	/* generations for the journal wait there, also while there is none */
	int told_in, told_out;
	int neighbours_fd; /* notifications of the neighbour table for the tap */
	int link_fd;	   /* notifications of devices in the initial namespace */
	/* notifications: 0 and 1 of links, addresses and routes of the data and the admin
	 * namespace; NETWORK_RULES and NETWORK_EGRESS of their rules */
	int network_fd[NETWORKS];
	bool ending;
	struct event_port events; /* the supervisor's own; the journal reads events_out */
	int events_out;
	struct slot slots[SLOTS];
	struct partition partition;
	struct pair pairs[PAIR_MAX];
	struct once once;
	uint32_t cores; /* cores that workers may use, read at the start */
	/* asked for by the generation or the option, whichever is more; or chosen by the box */
	uint32_t workers_asked[LANE_KINDS];
	/* pairs that the slots are divided among; 0 = no lane of this kind yet */
	uint32_t workers_run[LANE_KINDS];
	uint64_t lanes; /* bit n: queue sockets of lane n exist */
	/* sealed memfd with the image that every worker should have; -1 = none */
	int table_fd;
	struct table table;
	uint8_t table_digest[32];
	uint32_t next_id;
	struct generation_store store;
	json_t *kept;	   /* store/kept.h: the earlier state of devices; owned */
	bool kept_unsaved; /* it is not on disk, which is full or fails */
	struct permit_ids ids;
	struct msg_clock clock; /* what enforce said last */
	char boot[MOMENT_BOOT]; /* boot id of this start of the machine */
	bool sources;		/* the confirmed policy names time sources */
	struct paper_kept papers[PAPERS];
	struct ups_state ups;
	/* pid of the process of mgmt that last reported the state of its token; 0 = none */
	pid_t token_told;
	struct policy *now; /* in force, never NULL once started */
	int pairs_fd;	    /* for gates, of enforce (wire/pairs.h); -1 = none */
	bool booted;	    /* `now` has been loaded at least once since the start */
	/* the operation that enforce was told to stop but has not stopped yet, 0 = none */
	uint32_t enforce_leaves;
	bool adopted;	/* this enforce has read the rules in the kernel */
	uint64_t trial; /* generation on trial, 0 = none */
	/* end of the trial by the clock at its beginning; use trial_until() to show it */
	uint64_t trial_until_wall;
	uint64_t trial_until_boot; /* the same by clock_boot_ns() */
	/* monotonic ns: when to try again to write to a full disk; 0 = not tried yet */
	uint64_t save_again;
	/* monotonic ns: when to try again to load `now`; 0 = not necessary */
	uint64_t boot_again;
	/* monotonic ns: workers that all refuse the table in force are not ended earlier */
	uint64_t refusing_again;
	bool box_incomplete;	     /* a device of `now` is missing, or could not be set */
	struct sentence boot_error;  /* why the last attempt failed */
	struct sentence trial_error; /* why a trial that is over could not be ended yet */
	/* why the confirmed generation could not be read, until another is in force */
	struct sentence store_error;
	struct relay relay;
	struct counting counting;
	struct operation op;
	uint32_t changes;	 /* operations that have begun so far */
	struct operation queued; /* one request that waits for an internal operation */
	/* Private data of the files named beside them, made at the start. */
	struct orders *orders;	 /* orders.c */
	struct persons *persons; /* persons.h */
	struct watch *watch;	 /* watch.c */
	struct network *network; /* network.c */
	struct notify *notify;	 /* notify.c */
};

/* supervise/ground.c */
uint64_t mono_ns(void);
void say(const struct supervisor *s, enum message m, ...); /* one line on standard error */
void role_event(struct supervisor *s, enum role role, uint32_t index, enum role_event what);
/* Writes the person who ordered the current operation: an account, at the
 * machine "login/account". */
void policy_by(const struct supervisor *s, char out[USER_BY]);
/* Records a step of the current operation under the person who ordered it; `object`: the subject,
 * NULL = none. */
void policy_event(struct supervisor *s, enum policy_event what, uint64_t number, const char *object);
/* Records an event that is not a step of the current operation. */
void policy_event_of(struct supervisor *s, enum policy_event what, uint64_t number, struct said x);
void machine_event(struct supervisor *s, uint8_t what, struct said x);
/* Runs `open_in(ctx)` in the namespace, and returns to the own one in any case. */
int in_namespace(struct supervisor *s, int nsfd, int (*open_in)(void *ctx, struct err *e), void *ctx, struct err *e);
/* Whether a policy is on trial, and time sources of the confirmed one decide about the clock. */
static inline bool trial_sources(const struct supervisor *s)
{
	return s->trial != 0 && s->sources;
}
/* wall ns, by the clock as it is now set: when the trial ends */
uint64_t trial_until(struct supervisor *s);

/*
 * supervise/guard.c. 0: the namespaces are this process's, and the deny base is loaded. Two
 * failures have an error number of their own, for which the caller has the words: -EBUSY, another
 * process holds the namespaces; -ENOTUNIQ, two of the three namespaces are the same. `daemon`: this
 * process owns the rules.
 */
int guard_take(struct supervisor *s, bool daemon, bool *adopted, struct err *e);
/* *adopted: rules of an earlier daemon were in the kernel. No interface is
 * touched before this has succeeded. */
int guard_enter(struct supervisor *s, bool *adopted, struct err *e);

/* supervise/notify.c */
int notify_open(struct supervisor *s, struct err *e);
int notify_kept(void); /* the socket that the manager kept of an earlier daemon; -1 = none */
uint64_t notify_due(struct supervisor *s, uint64_t now);
void notify_ending(struct supervisor *s);

/* supervise/companions.c: writes the settings of the programs that communicate for the box, by the
 * policy in force */
void beside_write(struct supervisor *s);
/* folders.c: to be called at the start, before privileges are dropped. Files that a role could not
 * read in its folder of state are set aside, and this is reported. */
void folders_tidy(struct supervisor *s);
bool give_to(int fd, uid_t uid, mode_t mode); /* a file or folder, to this user alone */
/* whether the files exist that the settings for `ir` name; false: *ret says what is wrong */
bool beside_ready(const struct ir *ir, struct sentence *ret);

/* supervise/role.c: prints to standard error where each interface stays, and which rules apply
 * there after the daemon's end */
void leave_say(const struct supervisor *s);

/* supervise/network.c: addresses, links and routes that other programs changed */
int network_open(struct supervisor *s, struct err *e);
void network_heard(struct supervisor *s, int fd);
uint64_t network_due(struct supervisor *s, uint64_t now);
/* How often they had to be restored, and when the last time (wall ns). */
uint64_t network_drifts(const struct supervisor *s, uint64_t *ret_wall_ns);

/* supervise/folders.c: opens the sockets for people; negative errno. The sockets of logins exist
 * only if their group does. */
int listen_open(struct supervisor *s, struct err *e);
void listen_end(struct supervisor *s); /* removes their files */

/* The daemon's folders, and the sockets that people find there. */

/*
 * An existing folder may be open to more users than one that the daemon makes. A user who can open
 * it can list it and hold its lock (box/netns.h), so that no daemon could start again.
 */

enum narrow {
	NARROW_FITS, /* the folder has no more rights than `mode` */
	NARROW_DONE, /* surplus rights were removed */
	/* left unchanged: it belongs to another user, is shared (sticky), has other contents, or
	 * cannot be changed */
	NARROW_WIDER,
};

/* Reduces the rights of the state folder `fd` to `mode`. It counts as ours if it belongs to the
 * user of this process, and is empty or has generations. */
enum narrow narrow_folder(int fd, mode_t mode);

#endif
