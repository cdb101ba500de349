/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage decides about a packet. A stage sends nothing: it returns a verdict, and life.c
 * alone carries it out. A function that gets a verdict returns it or has it carried out; the
 * compiler warns if it ignores the verdict.
 */
#ifndef SEKISHO_DPI_INSPECT_VERDICT_H
#define SEKISHO_DPI_INSPECT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

#define MUST_SEND __attribute__((warn_unused_result))

enum step {
	STEP_ON,   /* not decided: the next stage continues */
	STEP_PASS, /* the packet passes */
	/* the packet passes, and its flow has an allowed protocol (`speaks`) and is not
	 * inspected further */
	STEP_CONFIRM,
	STEP_DROP, /* the packet is dropped without a reset */
	/* the packet is refused and recorded, but its flow goes on: it is dropped, or under observe
	 * let pass */
	STEP_REFUSE,
	/* the flow ends and both ends are reset; under observe it goes on instead, not inspected */
	STEP_END,
	STEP_CUT, /* as STEP_END, even under observe */
	/* not decided: the position of the flow was found anew, and the segment is judged again
	 * from there (session.h) */
	STEP_AGAIN,
	/* the rules show the datagram again, as a packet of its twin (datagram.h) */
	STEP_TWIN,
	STEP_KEEP, /* the packet waits, and wait.h keeps it: nothing is sent now */
};

/* Which ends get a reset in addition to the step. STEP_END and STEP_CUT reset both ends in any
 * case. */
enum hear {
	HEAR_NOTHING,
	HEAR_FLOW,   /* both ends, by the numbers of their stream when it was followed */
	HEAR_PACKET, /* both ends, by the packet's own numbers */
	HEAR_SERVER, /* the server, because its answer to a SYN is dropped */
};

struct verdict {
	uint8_t step;	 /* enum step */
	uint8_t hear;	 /* enum hear */
	bool closes;	 /* reports the end of the flow when both its ends have closed it */
	uint16_t reason; /* enum reason */
	/* STEP_END, STEP_CONFIRM: enum protocol that was recognised, or PROTO_NONE */
	uint16_t speaks;
};

static inline struct verdict verdict_of(enum step s, enum reason r)
{
	return (struct verdict){ .step = (uint8_t)s, .reason = (uint16_t)r };
}

static inline struct verdict go_on(void)
{
	return verdict_of(STEP_ON, R_NONE);
}

static inline struct verdict verdict_again(void)
{
	return verdict_of(STEP_AGAIN, R_NONE);
}

static inline struct verdict verdict_pass(enum reason r)
{
	return verdict_of(STEP_PASS, r);
}

/* PROTO_NONE: the permit does not ask for a protocol. */
static inline struct verdict verdict_confirm(enum protocol p)
{
	return (struct verdict){ .step = STEP_CONFIRM,
				 .reason = p == PROTO_NONE ? R_ALLOWED : R_CONFIRMED,
				 .speaks = (uint16_t)p };
}

static inline struct verdict verdict_drop(enum reason r)
{
	return verdict_of(STEP_DROP, r);
}

static inline struct verdict verdict_refuse(enum reason r)
{
	return verdict_of(STEP_REFUSE, r);
}

static inline struct verdict end_flow(enum reason r, enum protocol speaks)
{
	return (struct verdict){ .step = STEP_END, .reason = (uint16_t)r, .speaks = (uint16_t)speaks };
}

static inline struct verdict and_hear(struct verdict v, enum hear h)
{
	v.hear = (uint8_t)h;
	return v;
}

static inline struct verdict and_close(struct verdict v)
{
	v.closes = true;
	return v;
}

#endif
