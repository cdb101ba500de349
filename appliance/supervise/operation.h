/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operation that changes the policy in force: its state, its steps, and what they need to know
 * of devices, sessions and trials. Only one operation runs at a time; another one waits or
 * is refused.
 */
#ifndef SEKISHO_SUPERVISE_OPERATION_H
#define SEKISHO_SUPERVISE_OPERATION_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/store/generation.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/table_merge.h"

/* The asker of an order, and how to answer. All orders come through control. */

struct supervisor; /* supervise.h */

struct asker {
	uint32_t id; /* id of control's request; 0 = there is no asker */
	bool web;    /* over the web */
	bool tell;   /* the asker wants reports of progress */
};

/* ground.c */
/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
/* An order is refused, and why; takes the reference. */
void answer_no(struct supervisor *s, struct asker a, int status, json_t *why);
/* fd stays the caller's */
void answer_fd(struct supervisor *s, struct asker a, int status, int fd);
/* Sends a report of progress to the asker, if wanted: of enforce, or of this process. A report for
 * which there is no room is left out. */
void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said);
void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage);

/* What enforce reports about live sessions in MSG_APPLIED: those that end, and those that go on
 * under another permit. This process reads none of it. */

struct told {
	bool held;
	int sessions, cuts; /* owned if `held`: of the message */
	size_t n_cut, n_changed;
};

/* apply.c */
void told_clear(struct told *t);
/* sends a list as in wire/cuts.h; the descriptor stays the caller's */
void cuts_hand_on(struct supervisor *s, int fd);

/* What a policy makes possible and impossible, shortened for history and record. Control gets all
 * of it from the compile role, for the answer. */

struct meant {
	/* the first sentences, one per line, and the number of further ones */
	struct sentence brief;
	unsigned said; /* how many of these lines are sentences */
	uint32_t others;
};

/* Reads the short form from the memfd of the compiler's answer. */
void meant_take(struct meant *m, int fd, const struct msg_compiled *c);
/* Records that the policy was applied, with the first sentences and a count, in English; readers of
 * records translate them (mgmt/words/event.h). */
void meant_record(struct supervisor *s, uint64_t number, const struct meant *m);

enum op_step { STEP_COMPILE, STEP_TABLES, STEP_ENFORCE, STEP_FORETELL, STEP_IMPACT, STEP_KERNEL, STEP_UNDO };

/* The state for which an account gave an order. The order may have to wait; it is carried out only
 * if the state is unchanged. The draft cannot change meanwhile, because control knows of
 * the order. */
struct op_ground {
	uint64_t base; /* the generation that was in force; 0 = any */
	/* for an account at the machine: its login; "" = over the web, or root */
	char login[LOGIN_NAME];
};

/* Names of interfaces that came with an order, each with a NUL. */
struct agreed_names {
	char *text; /* owned */
	size_t n;
};

struct operation {
	enum op_kind kind;
	enum op_step step;
	struct asker asker;
	char by[BY_BYTES], comment[COMMENT_BYTES];
	bool take_over; /* an apply that may end a trial */
	bool restored;	/* an apply of the texts of a backup */
	bool back;	/* OP_DRY_RUN for a rollback */
	uint64_t to;	/* the generation asked for; 0: see op_confirm, op_rollback */
	uint64_t from;	/* the generation that was in force when the operation began */
	struct op_ground ground;
	uint32_t id;	   /* request id towards roles */
	uint64_t deadline; /* monotonic ns: end of the step; while enforce works, the next check */
	uint64_t looked;   /* monotonic ns: when the work of enforce was last checked */
	uint32_t confirm_s;
	int bundle;	/* -1, or the texts to compile; owned */
	bool compiling; /* a compile role is working on the texts */
	/* workers that refused a table which others accepted were ended; this is done once */
	bool ended_refusing;
	uint64_t number;     /* the number under which it is stored, 0 = not stored */
	struct policy *next; /* owned until it is in force */
	bool *moved;	     /* devices that were moved into the box for it */
	json_t *kept_before; /* the records of devices before that; owned */
	/* the reports about devices that were given back; owned, NULL = none */
	json_t *given_back;
	struct agreed_names agreed; /* interfaces that may be taken although sessions use them */
	/* the devices that it takes, and the sessions that end; owned */
	json_t *taking;
	char device[16]; /* OP_RELEASE: the device, "" = all */
	/* the workers' table before, to be restored when the operation is given up; owned */
	struct table before;
	char why[800];	    /* the policy's first error; "" = none */
	struct meant meant; /* of the new policy, compared with the one in force */
	struct told told;   /* the last report of enforce */
	/* in that report: permits that are kept for their sessions */
	uint32_t lingering;
	/* how many of the sessions that go on the workers were asked about */
	size_t weighed;
	uint64_t weighers;     /* bit n: worker n is asked about sessions */
	bool foretold;	       /* control has weighed the effect on sessions */
	struct sentence error; /* why it failed */
	struct err undone;     /* STEP_UNDO: why the change is undone */
	/* STEP_UNDO: why rules or addresses could not be restored; code 0 = they were */
	struct err not_back;
	uint8_t clock_wait; /* how its conduits wait for the clock (enum clock_wait) */
	int status;	    /* exit status of a failure */
	uint32_t line;	    /* policy line of a refusal, 0 = none */
	enum op_refusal refused;
	uint64_t refused_n;
};

/*
 * Limits in ns. All but KERNEL_LIMIT_NS are by the clock, and only end a wait. At TABLES_LIMIT_NS
 * the asker is told M_OP_TABLE_LATE. During that wait watch.c replaces workers that hang (only time
 * in which they could have run counts), and the new ones take the table.
 */
#define TABLES_LIMIT_NS 20000000000ull
/* the same if the box acts by itself; then the rules are committed without the late workers */
#define TABLES_LIMIT_ALONE_NS 2000000000ull
#define COMPILE_LIMIT_NS 90000000000ull
#define ENFORCE_LIMIT_NS 5000000000ull
#define KERNEL_LIMIT_NS 30000000000ull /* of enforce's own time; then enforce is killed */
#define KERNEL_LOOK_NS 1000000000ull   /* interval of checks of that time */
#define IMPACT_STEP_NS 30000000000ull
/* op.c */
void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by);
void op_clear(struct operation *op);
/* Sets the reason of a failure for people; the first one stays. `status`: the exit status of
 * the answer. */
void op_explain(struct supervisor *s, int status, enum message m, ...);
void op_finish(struct supervisor *s, bool done); /* answers and cleans up */
/* Ends an operation that has not begun. Control puts the reason into words, because it has the
 * history as well. `n`: the generation that the order named, or would go to. */
void op_refuse(struct supervisor *s, enum op_refusal why, uint64_t n);
/* undoes the preparations, then calls op_finish */
void op_give_up(struct supervisor *s);
/* As op_give_up, for a preparation that failed; `why` is the error. */
void op_fail(struct supervisor *s, const char *why);
void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds); /* number 0 = no trial */
/* apply.c */
void op_compile_begin(struct supervisor *s);
/* ends the compiler of this operation, if there is one; those of others go on */
void op_compile_end(struct supervisor *s);
/* op.next exists: the part of a dry run before the rules (agreement to take devices; addresses and
 * routes, which are tried in empty namespaces); then goes on, or gives up */
void op_try(struct supervisor *s);
/* op.next exists: prepares devices, queues and tables, and goes on */
void op_prepare(struct supervisor *s);
void op_to_kernel(struct supervisor *s);
void op_tables_begin(struct supervisor *s); /* the workers have been given their tables */
/* What could be set is in force. A missing device is looked for from time to time, and taken into
 * the box when it comes. `why`: what could not be set. */
void box_try_again(struct supervisor *s, const char *why);
void op_tables_late(struct supervisor *s);

/* operation.c and apply.c, for other files */
/*
 * An order to apply, try, confirm or roll back; it is answered now or later. `texts`: what to
 * apply, taken over; `agreed`: as in taking_agreed. `order->to`: the generation; 0 = the one on
 * trial. For a rollback, 0 is the confirmed generation while there is a trial, otherwise the last
 * one with another meaning; a second rollback in a row has to name its target.
 */
void op_ordered(struct supervisor *s, struct asker a, const char *by, struct op_ground g, int texts, int agreed,
		const struct msg_change *order);
/* The asker of this request does not wait any more. Its dry run is ended, also one that waits;
 * other operations go on. */
void op_stop(struct supervisor *s, uint32_t id);
/* Control has ended: there are no askers any more. Its errand, a dry run and an order that waits
 * are dropped; other operations go on. */
void op_forget(struct supervisor *s);
void op_boot(struct supervisor *s);
void op_trial_over(struct supervisor *s);
/* Devices appeared: those that belong to the box will be taken soon. */
void op_links(struct supervisor *s);
void op_compiled(struct supervisor *s, struct msg *m);
void op_applied(struct supervisor *s, struct msg *m);
void op_tables(struct supervisor *s); /* a worker has acknowledged a table, or has started */
void op_enforce_ready(struct supervisor *s);
void op_enforce_died(struct supervisor *s);
void op_compile_died(struct supervisor *s, const siginfo_t *how);
uint64_t op_due(struct supervisor *s, uint64_t now);
void op_release(struct supervisor *s, struct asker a, const char *by, const struct msg_ctl_release *order);

/* op.c */
/* Reads them from a memfd; -1 = none. */
struct agreed_names taking_agreed(int fd);
/* Sets op.taking. False, and explained: a person has to agree first, or the sessions of a device
 * cannot be read. */
bool taking_allowed(struct supervisor *s);

/* kept.c */
int kept_open(struct supervisor *s, struct err *e);
/* Loads rules that keep the machine's own namespace from forwarding over the box's cards that are
 * still in it. To be called once the policy in force is known. */
void kept_guard(struct supervisor *s);
/* Stores the state of the devices of `ir` on the disk before they are moved. */
int kept_take(struct supervisor *s, const struct ir *ir, struct err *e);
/* Whether the device was released by a person's order, and must not be taken again without
 * another order. */
bool kept_left_alone(const void *supervisor, const char *device);
/* Gives back devices that came for a policy that is given up, and restores the records `before`,
 * which is taken over. */
void kept_undo(struct supervisor *s, const struct ir *ir, const bool *moved, json_t *before);
/* Gives back devices that are not in the policy in force. `going_back`: also those that a later
 * apply left out.
 * `left`: the policy that named them, NULL = not known. */
void kept_settle(struct supervisor *s, bool going_back, const struct ir *left);
/* Records devices that were released while no daemon ran. */
void kept_tell(struct supervisor *s);
/* Moves devices that an apply left out, and that are in the first namespace again after a start of
 * the machine, back into the box, without using them. */
void kept_hold(struct supervisor *s);
/* Whether the policy in force names the device, or it is one that an apply left out. */
bool kept_wants(const struct supervisor *s, const char *device);
/* Notes devices that generation `by` leaves out: they stay in the box unused, until a policy takes
 * them or a person returns them. The note is on the disk before the new policy is. `old`, `next`
 * NULL: it is not known which devices the confirmed policy names. Then none is given back, because
 * the machine could forward between them without any rule. */
void kept_retire(struct supervisor *s, const struct ir *old, const struct ir *next, uint64_t by);
/* Tries again to write records that could not be written. */
void kept_save_again(struct supervisor *s);
/* Releases a device by order, by its own name or that of the policy, or all devices. False: the box
 * has no device of that name. */
bool kept_release(struct supervisor *s, const char *name, bool all);
/* Whether the devices were given back without loss. */
bool given_back_whole(const json_t *reports);

/* apply.c: control has asked the workers about sessions that go on. */
void op_weighed(struct supervisor *s, struct msg *m);
/* Control asks the workers about the next of these sessions. */
void op_sessions(struct supervisor *s, struct msg *m);
void op_foretold(struct supervisor *s);

#endif
