/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stage decides about a packet. A stage sends nothing: it returns one of these, and life.c alone carries it out.
 * Whoever is handed one passes it on or has it carried out; the compiler complains about one that is lost.
 */
#ifndef SEKISHO_DPI_INSPECT_VERDICT_H
#define SEKISHO_DPI_INSPECT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"

#define MUST_SEND __attribute__((warn_unused_result))

enum step {
	STEP_ON,      /* not decided here: the next stage goes on */
	STEP_PASS,    /* it passes */
	STEP_CONFIRM, /* ... and its flow is what was promised (`speaks`): only its name counts from here on */
	STEP_DROP,    /* it does not; nobody is told */
	STEP_REFUSE,  /* it is refused for itself, its flow goes on: recorded and dropped, or passed under observe */
	STEP_END, /* its flow ends here for good and both ends are reset; under observe the flow is let go of instead */
	STEP_CUT, /* as STEP_END, whatever the mode says */
	STEP_AGAIN, /* not decided: where the flow stands was found anew, and it is followed from there (session.h) */
	STEP_KEEP,  /* it waits, and somebody keeps it (wait.h): nothing is sent now */
};

/* Who is reset beside that. STEP_END and STEP_CUT reset both ends by themselves. */
enum hear {
	HEAR_NOTHING,
	HEAR_FLOW,   /* both ends, by the numbers of their stream when it was followed */
	HEAR_PACKET, /* both ends, by the packet's own numbers */
	HEAR_SERVER, /* the server, whose answer to a SYN comes to nothing */
};

struct verdict {
	uint8_t step;	 /* enum step */
	uint8_t hear;	 /* enum hear */
	bool closes;	 /* tells the end of the flow when both its ends have closed it */
	uint16_t reason; /* enum reason */
	uint16_t speaks; /* STEP_END, STEP_CONFIRM: enum protocol that it turned out to be, or PROTO_NONE */
};

static inline struct verdict verdict_of(enum step s, enum reason r)
{
	return (struct verdict){ .step = (uint8_t)s, .reason = (uint16_t)r };
}

static inline struct verdict go_on(void)
{
	return verdict_of(STEP_ON, R_NONE);
}

static inline struct verdict again(void)
{
	return verdict_of(STEP_AGAIN, R_NONE);
}

static inline struct verdict pass(enum reason r)
{
	return verdict_of(STEP_PASS, r);
}

/* PROTO_NONE: nothing is looked for in it. */
static inline struct verdict confirm(enum protocol p)
{
	return (struct verdict){ .step = STEP_CONFIRM,
				 .reason = p == PROTO_NONE ? R_ALLOWED : R_CONFIRMED,
				 .speaks = (uint16_t)p };
}

static inline struct verdict drop(enum reason r)
{
	return verdict_of(STEP_DROP, r);
}

static inline struct verdict refuse(enum reason r)
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
