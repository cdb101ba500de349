/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one operation that changes what is in force: its state, its steps, and what they need to know of devices, sessions and trials.
 * Only one is under way; another one waits or is refused.
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
#include "appliance/supervise/asker.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/meant.h"
#include "appliance/supervise/policy.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

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

struct foretelling; /* op.h: what it will do to live sessions */

/* What an order of an account was given for. It may have to wait; it is done in this place, or not at all. */
struct op_ground {
	uint64_t draft;		/* the revision of the draft whose texts they are; 0 = of none */
	uint64_t base;		/* the generation that was in force; 0 = of whatever is */
	char login[LOGIN_NAME]; /* of an account at the machine: its login; "" = over the web, or root's own */
	bool one_step;		/* of a rollback: by an account, who goes to the one before and no further */
};

struct operation {
	enum op_kind kind;
	enum op_step step;
	struct asker asker;
	char by[BY_BYTES], comment[COMMENT_BYTES];
	bool take_over; /* an apply that may end another one's trial */
	bool restored;	/* an apply of the texts of a backup */
	bool back;	/* OP_DRY_RUN of a rollback */
	uint64_t to;	/* the generation asked for; 0: see op_confirm, op_rollback */
	uint64_t from;	/* what was in force when it began */
	struct op_ground ground;
	uint32_t id;	   /* request id towards roles */
	uint64_t deadline; /* monotonic ns, of the step; while enforce is at it, of the next look */
	uint64_t looked;   /* monotonic ns: how much enforce did was seen last */
	uint32_t confirm_s;
	int bundle;	     /* -1, or the texts to compile; owned */
	bool compiling;	     /* a compile role works on them */
	bool ended_refusing; /* workers that refused the table which others took were ended, once */
	uint64_t number;     /* stored as, 0 = not stored */
	struct policy *next; /* owned until it is in force */
	bool *moved;	     /* devices that came for it */
	json_t *kept_before; /* what was known of devices before that; owned */
	json_t *given_back;  /* what came of those that went back; owned, NULL = none did */
	json_t *agreed;	     /* names of interfaces that may be taken although sessions ride on them; owned */
	json_t *shut_out;    /* who loses the management by it; owned, NULL = nobody, or not known yet */
	json_t *taking;	     /* what it takes, and whose sessions end by it; owned */
	char device[16];     /* OP_RELEASE: which, "" = all */
	uint8_t *before;     /* the workers' table as it was, put back when it is given up; owned */
	size_t n_before;
	json_t *diagnostics;		 /* owned reference, NULL = none */
	struct meant meant;		 /* of the policy that comes, beside the one in force */
	struct told told;		 /* by enforce, the last time */
	uint32_t lingering;		 /* the same: permits that it keeps for their sessions */
	struct foretelling *foretelling; /* owned, NULL = not yet, or not asked */
	bool stopped;			 /* nobody waits for this dry run */
	bool foretold;			 /* as far as it can be */
	struct sentence error;		 /* why it failed */
	struct err undone;		 /* STEP_UNDO: why the change is undone */
	struct err not_back;		 /* the same: why rules or addresses did not come back, code 0 = they did */
	int status;			 /* exit status of a failure */
	uint32_t line;			 /* policy line of a refusal, 0 = none */
};

/*
 * By the clock, and so they end nothing but a wait: M_OP_TABLE_LATE says the first to whoever waits.
 * Who hangs is found by watch.c, by its own time, and its successor takes the table meanwhile.
 */
#define TABLES_LIMIT_NS 20000000000ull
#define TABLES_LIMIT_ALONE_NS 2000000000ull /* nobody waits: the rules stand without them */
#define COMPILE_LIMIT_NS 90000000000ull
#define ENFORCE_LIMIT_NS 5000000000ull
#define KERNEL_LIMIT_NS 30000000000ull /* of enforce's own time */
#define KERNEL_LOOK_NS 1000000000ull   /* how often that is looked at */
#define IMPACT_STEP_NS 30000000000ull
/* op.c */
void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by);
void op_clear(struct operation *op);
/* Why it failed, for people; the first reason stays. `status`: the exit status of the answer. */
void op_explain(struct supervisor *s, int status, enum message m, ...);
void op_finish(struct supervisor *s, bool done); /* answers and tidies up */
void op_give_up(struct supervisor *s);		 /* what was prepared is put back, then op_finish */
void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds); /* 0 = none */
/* apply.c */
void op_compile_begin(struct supervisor *s);
void op_compile_end(struct supervisor *s); /* its compiler, if there is one yet; another's goes on */
void op_try(struct supervisor *s);	   /* op.next is there: all that can be tried of it, and the end */
void op_prepare(struct supervisor *s);	   /* op.next is there: devices, queues, tables, and on */
void op_to_kernel(struct supervisor *s);
void op_tables_begin(struct supervisor *s); /* the workers were given theirs */
void op_tables_late(struct supervisor *s);

/* operation.c: each says why not */
void trial_none(struct supervisor *s);	    /* nothing waits to be confirmed */
bool trial_stands(struct supervisor *s);    /* another's trial stands in the way of this apply */
bool rollback_target(struct supervisor *s); /* into op.number; false: nowhere, the caller ends it */

/* operation.c and apply.c, to others */
/* Takes `bundle`. Each answers the asker itself, now or later. */
void op_apply(struct supervisor *s, struct asker a, const char *by, int bundle, int agreed, struct op_ground g,
	      const struct msg_ctl_apply *order);
/* `to`: which one is meant; 0 = whichever is on trial. Of a rollback 0 is the last that meant something else. */
void op_confirm(struct supervisor *s, struct asker a, const char *by, uint64_t to, struct op_ground g);
void op_rollback(struct supervisor *s, struct asker a, const char *by, int agreed, struct op_ground g,
		 const struct msg_ctl_rollback *order);
/* Nobody waits for the answer to this request of control: a dry run ends; nothing else does. */
void op_stop(struct supervisor *s, uint32_t id);
/* Control is gone: nobody waits for an answer any more, and what was not begun is not done. */
void op_forget(struct supervisor *s);
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

/* op.c */
/* The names in a memfd that came with an order (-1 = none): a new array. */
json_t *taking_agreed(int fd);
/* Into op.taking. False after saying that somebody has to agree first. */
bool taking_allowed(struct supervisor *s);

/* kept.c */
int kept_open(struct supervisor *s, struct err *e);
/* The machine itself forwards nothing between cards of the box that it still has. Once the policy in force is known. */
void kept_guard(struct supervisor *s);
/* What the devices of `ir` are, on the disk, before they are moved. */
int kept_take(struct supervisor *s, const struct ir *ir, struct err *e);
/* It was released by a person's order, and this is not another one. */
bool kept_left_alone(const void *supervisor, const char *device);
/* Nobody can tell which of them the confirmed policy names: they stay in the box, as those that an apply left out. */
void kept_keep(struct supervisor *s);
/* Those that came for a policy that is given up go back, and `before` (taken) is what is known again. */
void kept_undo(struct supervisor *s, const struct ir *ir, const bool *moved, json_t *before);
/* Those that are not of the policy in force go back; `going_back`: also those that an apply left out which came after it.
 * `left`: the policy whose names they had, NULL where nobody knows. */
void kept_settle(struct supervisor *s, bool going_back, const struct ir *left);
/* What was released while no daemon ran, into the records. */
void kept_tell(struct supervisor *s);
/* Those that an apply left out and the first namespace has again, as after a start of the machine, come back into the box, silent. */
void kept_hold(struct supervisor *s);
/* It is one of those that an apply left out. */
bool kept_held(const struct supervisor *s, const char *device);
/* An apply leaves them out: they stay where they are, silent. On the disk before that one is: whoever reads there of a policy without them finds it said. */
void kept_retire(struct supervisor *s, const struct ir *old, const struct policy *next);
/* What could not be written, once more. */
void kept_save_again(struct supervisor *s);
/* By order: one, by its own name or the policy's, or all. False: the box has none of that name. */
bool kept_release(struct supervisor *s, const char *name, bool all);
/* Nothing was lost on the way. */
bool given_back_whole(const json_t *reports);

/* impact.c: between enforce's word of what changes and the change */
void impact_begin(struct supervisor *s); /* of op.told */
/* What one worker says to a question. False: it may not say that. */
bool impact_told(struct supervisor *s, uint32_t worker, struct msg *m);
/* It has died, and says nothing. */
void impact_gone(struct supervisor *s, uint32_t worker);
/* Everybody has answered who will, or has had his time: the next question, or true: that was the last one, and op_foretold is next. */
bool impact_due(struct supervisor *s, uint64_t now);
void impact_late(struct supervisor *s);		  /* the step took too long: nobody is waited for any more */
uint64_t impact_next(const struct supervisor *s); /* monotonic ns, UINT64_MAX = never */
void op_foretold(struct supervisor *s);

#endif
