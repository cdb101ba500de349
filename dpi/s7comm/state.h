/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the S7comm enforcer remembers of a flow. Part of the S7comm enforcer, used by nobody else.
 *
 * Requests that passed wait for their answers, and so do refused ones where refusals end nothing. Of a read it is kept how long
 * each item's answer is; these lengths lie together behind all that, in the order of the requests. What a server sends by itself
 * must have been made possible: pushes by a request that subscribes to them, questions for blocks by a download. Whose places a push
 * brings it does not say: so those of all cyclic reads of the session are kept, and each must still be allowed.
 */
#ifndef SEKISHO_DPI_S7COMM_STATE_H
#define SEKISHO_DPI_S7COMM_STATE_H

#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/s7comm/cotp.h"
#include "dpi/s7comm/message.h"

#define S7_OPEN_MAX 16u	   /* requests that may wait for their answers in one flow; controllers agree on 8 at most */
#define S7_ITEMS_MAX 255u  /* of one request */
#define S7_LENGTHS 320u	   /* of items of all open reads */
#define S7_WATCHED_MAX 40u /* places of all cyclic reads of a session; of more than these nothing is known */
#define S7_TAIL 32u	   /* bytes that may hold the beginning of a header, one bit of a word each */

struct s7_open {
	uint64_t first; /* addresses of its first item */
	uint32_t count;
	uint32_t service;
	uint16_t reference;
	uint16_t choice; /* of the ruling that decided it */
	uint16_t number; /* counts requests: how old it is */
	uint8_t kind;	 /* S7_JOB, S7_USERDATA */
	uint8_t space;
	uint8_t items;		/* of a read or write */
	uint8_t lengths;	/* so many of the lengths are its own */
	uint8_t reason;		/* enum reason; R_ALLOWED when it passed */
	uint8_t expendable : 1; /* a later one was answered */
	uint8_t aged : 2;	/* PENDING_AGED: nobody waits for it any more */
	uint8_t in_turn;	/* 1: sense and turn are as they should be; if it is refused, then by rows alone */
};

/* What a cyclic read was for, as in struct operation. */
struct s7_watched {
	uint32_t first_low, count;
	uint16_t first_high;
	uint8_t space;
	uint8_t sub; /* of the request: a code of group S7_CYCLIC */
};

enum s7_phase {
	PHASE_FRESH,	 /* nothing was said */
	PHASE_ASKED,	 /* for a connection */
	PHASE_CONNECTED, /* but no size of PDUs agreed on */
	PHASE_READY,
	PHASE_CLOSED, /* the client disconnected */
};

/* Sets of pushes, by what subscribes to them. */
#define SUBSCRIBED_MESSAGES 1u /* the controller's messages */
#define SUBSCRIBED_CYCLIC 2u   /* values, cyclic or when they change */

struct s7_state {
	uint8_t table[4]; /* start of the digest that the choices belong to */
	uint8_t phase;	  /* enum s7_phase */
	uint8_t met;	  /* 1: half-way, so that what came before is unknown */
	uint8_t unread;	  /* 1: among it are requests that nobody could read, or that were refused */
	uint8_t connect_reason;
	uint8_t subscribed; /* SUBSCRIBED_* */
	uint8_t download;   /* 1: one was begun, and the server may ask for blocks */
	uint8_t asked_back; /* function of the job that the server waits for an answer to; 0: none */
	uint8_t slot_known; /* 1: `slot` is the connection request's */
	uint16_t slot;
	uint16_t back_reference; /* of that job */
	uint16_t client;	 /* reference of the connection request */
	uint16_t size;		 /* of a PDU, as agreed on; 0: nothing is */
	uint16_t size_asked;	 /* by the client */
	uint16_t connect_choice;
	uint16_t number; /* requests so far */
	uint32_t jobs;	 /* bit n: of the tests (group 1) with sub-function n, which report by themselves */
	/* After the rest of a request came late, or an acknowledgement, see cut.c. */
	uint8_t lost;	      /* 1: no answer has shown since that the server reads where the client writes */
	uint16_t lost_number; /* of the first request after that */
	uint8_t n_tail;
	uint8_t tail[S7_TAIL]; /* the client's last bytes */
	uint32_t tail_starts;  /* bit n: one of its packets begins at tail[n] */
	uint32_t tail_end;     /* offset in its stream */
	uint8_t watches_more;  /* 1: places were subscribed to that are not among the watched */
	uint8_t moved;	       /* 1: the session came under another permit since this was first known */
	uint32_t permit;       /* as of the server's last message; 0: it sent none */
	uint16_t n_open, n_lengths, n_watched;
	struct s7_open open[S7_OPEN_MAX];
	uint16_t lengths[S7_LENGTHS]; /* of these and of what follows only so many as are in use mean something */
	struct s7_watched watched[S7_WATCHED_MAX];
};

/* An answer, or anything else that is no request; see dpi/protocol.h. */
void s7_answered(struct s7_state *s, enum direction dir, const struct s7_unit *u, const struct command_table *t,
		 const struct command_permit *p, struct pdu *ret);
void s7_forget(struct s7_state *s, uint32_t i);
/* A request that passed, and may make the server speak by itself. */
void s7_subscribe(struct s7_state *s, const struct parsed *p);
/* What the server says now is judged under this permit. */
void s7_notice_permit(struct s7_state *s, const struct command_permit *p);
void s7_push(const struct s7_state *s, const struct s7_message *m, const struct command_table *t,
	     const struct command_permit *p, struct pdu *ret);
/* A request of which only this was seen, or that the server makes in the place of the client. */
void s7_rule_unseen(const struct s7_state *s, uint32_t service, const struct command_table *t,
		    const struct command_permit *p, struct pdu *ret);
void s7_name_choice(const struct command_table *t, const struct command_permit *p, uint16_t choice, struct pdu *ret);
/* From here on the server may read where the client does not write, until an answer shows that it does not. */
void s7_lose(struct s7_state *s);
/* The enforcer's `segment` and `repeat`, see dpi/protocol.h. */
bool s7_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct command_table *t,
		const struct command_permit *p, struct pdu *ret);
bool s7_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
	       const struct command_table *t, const struct command_permit *p, struct pdu *ret);
/* What its own connection request said, or SLOT_UNKNOWN. */
uint32_t s7_slot(const struct s7_state *s);

#endif
