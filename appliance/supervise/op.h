/* SPDX-License-Identifier: Apache-2.0 */
/* The operation that goes on: its state, its end, and trials. Only one runs at a time. */
#ifndef SEKISHO_SUPERVISE_OP_H
#define SEKISHO_SUPERVISE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/base/sentence.h"
#include "appliance/supervise/apply_told.h"
#include "appliance/supervise/asker.h"
#include "appliance/supervise/meant.h"
#include "appliance/wire/past.h"
#include "appliance/wire/said.h"
#include "appliance/wire/table_merge.h"

struct policy;
struct supervisor;

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

void op_init(struct supervisor *s, enum op_kind k, struct asker a, const char *by);
void op_clear(struct operation *op);
/* Sets the reason of a failure for people; the first one stays. `status`: the exit status of
 * the answer. */
void op_explain(struct operation *op, int status, enum message m, ...);
void op_finish(struct supervisor *s, bool done); /* answers and cleans up */
/* Ends an operation that has not begun. Control puts the reason into words, because it has the
 * history as well. `n`: the generation that the order named, or would go to. */
void op_refuse(struct supervisor *s, enum op_refusal why, uint64_t n);
/* undoes the preparations, then calls op_finish */
void op_give_up(struct supervisor *s);
/* As op_give_up, for a preparation that failed; `why` is the error. */
void op_fail(struct supervisor *s, const char *why);
void trial_set(struct supervisor *s, uint64_t number, uint32_t seconds); /* number 0 = no trial */

/* Reads them from a memfd; -1 = none. */
struct agreed_names taking_agreed(int fd);
/* Sets op.taking. False, and explained: a person has to agree first, or the sessions of a device
 * cannot be read. */
bool taking_allowed(struct supervisor *s);

#endif
