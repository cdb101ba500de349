/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S7comm enforcer: TPKT (RFC 1006), COTP class 0 (RFC 905), and the S7 PDUs in it.
 *
 * Runs in dpi workers and in replay. A PDU is one TPDU, or all DT TPDUs of a fragmented message.
 * The lengths of all layers must agree exactly. A session begins with one connection request; then
 * both ends agree on a PDU size, and nothing larger passes. Each item of a request is an
 * operation. An answer must fit an open request. A message that the server sends by itself must
 * have been subscribed to, or belong to an allowed download. S7comm-plus (0x72) is another
 * protocol, and is refused here. The enforcer owns nothing but the flow's inline state, and never
 * sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_S7COMM_S7COMM_H
#define SEKISHO_DPI_S7COMM_S7COMM_H

#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"
#include "dpi/s7comm/transport.h"
#include "dpi/s7comm/words.h"

/* ---- messages -------------------------------------------------------------------------------- */

/*
 * S7 messages: the header, the operations of a request, and whether an answer has the form that
 * its request demands.
 *
 * Siemens published no specification. This module agrees with snap7, libnodave, PLC4X and
 * Wireshark's dissector, and with captures of STEP 7, WinCC and controllers; where these differ,
 * values and addresses count as unknown.
 */

/* Kinds of messages. */
enum s7_kind { S7_JOB = 1, S7_ACK = 2, S7_ACK_DATA = 3, S7_USERDATA = 7 };

/* The role of a userdata message. */
enum s7_says { S7_PUSHES = 0, S7_ASKS = 1, S7_ANSWERS = 2 };

struct s7_message {
	enum reason wrong; /* R_ALLOWED, or what is wrong; the fields below are then not valid */
	uint8_t kind;	   /* enum s7_kind */
	uint16_t reference;
	uint16_t error; /* S7_ACK, S7_ACK_DATA: class and code */
	struct bytes parameters, data;
	/* The first parameters. */
	uint8_t function; /* of a job and its answers */
	uint8_t says;	  /* userdata: enum s7_says */
	uint8_t group, sub;
	uint8_t sequence;
	bool more;	/* userdata: another part of this answer can be asked for */
	uint16_t fault; /* userdata: error of the answer */
};

/* Reads the header of a whole message of at least one byte. */
void s7_message_read(struct bytes b, struct s7_message *ret);

/*
 * Writes the operations of a job or a userdata request, and returns their number, at least 1.
 * *ret_wrong: R_ALLOWED, or what is wrong with the request. Written values are borrowed from the
 * message. The caller sets the targets.
 */
uint32_t s7_request_operations(const struct s7_message *m, struct operation *operations, enum reason *ret_wrong);
/* The PDU size in a request or answer of "setup communication"; 0: there is none. */
uint16_t s7_setup_size(const struct s7_message *m);

/* Reads `n` items of a read, a write or a cyclic read from the beginning of *b. False: these are
 * not such items. */
bool s7_items(struct bytes *b, uint8_t n, uint32_t service, struct operation *operations);
/* Reads the data of `n` written items. */
bool s7_items_values(struct bytes b, uint8_t n, struct bytes items, struct operation *operations);

#define S7_LENGTH_ANY 0xffffu
/* Bytes of data in the answer to this read; S7_LENGTH_ANY when it is not known. */
uint16_t s7_answer_length(const struct operation *o);
/* return code of an item in an answer; PLC4X also sends it in writes, where others send 0 */
#define S7_RESULT_GOOD 0xff
/* Bytes of an item's data, according to its header. False: there is no such header. */
bool s7_data_length(uint8_t type, uint16_t length, size_t *ret);
/* Whether the answer has `n` items, each of which has the given length or reports an error. */
bool s7_items_answered(struct bytes b, uint8_t n, const uint16_t *lengths);

/* Whether the answer of a function without items has the right form. */
bool s7_answer_fits(uint32_t service, const struct s7_message *m);

/* ---- the state of a flow --------------------------------------------------------------------- */

/*
 * What the S7comm enforcer remembers of a flow.
 *
 * Requests that passed wait for their answers, and so do refused requests if refusals do not end
 * the flow. For a read the length of each item's answer is kept; these lengths are stored together
 * at the end, in the order of the requests. A server may send pushes only after a request that
 * subscribes to them, and ask for blocks only during a download. A push does not say which
 * addresses it carries, so the addresses of all cyclic reads of the session are kept, and each must
 * still be allowed.
 */

/* requests that may wait for their answers in one flow; controllers agree on 8 at most */
#define S7_OPEN_MAX 16u
#define S7_ITEMS_MAX 255u /* of one request */
#define S7_LENGTHS 320u	  /* of items of all open reads */
/* addresses of all cyclic reads of a session; further ones are not remembered */
#define S7_WATCHED_MAX 40u
/* last bytes that may hold the beginning of a header; tail_starts has one bit for each */
#define S7_TAIL 32u

struct s7_open {
	struct pending_entry wait;
	uint32_t count; /* addresses of its first item, from `first` on */
	uint64_t first;
	uint32_t service;
	uint16_t reference;
	uint16_t number; /* running number of the request, which shows its age */
	uint8_t kind;	 /* S7_JOB, S7_USERDATA */
	uint8_t space;
	uint8_t items;	 /* of a read or write */
	uint8_t lengths; /* how many entries of `lengths` belong to this request */
	/* 1: the request is well-formed and in its turn; only rows can refuse it */
	uint8_t in_turn;
};

/* The addresses of a cyclic read, as in struct operation. */
struct s7_watched {
	uint32_t first_low, count;
	uint16_t first_high;
	uint8_t space;
	uint8_t sub; /* sub-function of the request, of group S7_CYCLIC */
};

enum s7_phase {
	PHASE_FRESH,	 /* nothing was said */
	PHASE_ASKED,	 /* a connection was requested */
	PHASE_CONNECTED, /* connected, but no PDU size is agreed on */
	PHASE_READY,
	PHASE_CLOSED, /* the client disconnected */
};

/* Kinds of pushes, by the subscription that they need. */
#define SUBSCRIBED_MESSAGES 1u /* the controller's messages */
#define SUBSCRIBED_CYCLIC 2u   /* values, cyclic or when they change */

struct s7_state {
	struct pending wait;
	uint8_t phase; /* enum s7_phase */
	/* 1: the session was met half-way, so its earlier messages are not known */
	uint8_t met;
	uint8_t connect_reason;
	uint8_t subscribed; /* SUBSCRIBED_* */
	uint8_t download;   /* 1: a download was begun, so the server may ask for blocks */
	/* function of the server's own job that the client has to answer; 0: none */
	uint8_t asked_back;
	/* blocks that the server sent by itself (BSEND), without the client's answer */
	uint8_t blocks;
	uint8_t slot_known; /* 1: `slot` comes from the connection request */
	uint16_t slot;
	uint16_t back_reference; /* reference of the server's own job */
	uint16_t client;	 /* reference of the connection request */
	uint16_t size;		 /* PDU size in bytes that was agreed on; 0: none */
	uint16_t size_asked;	 /* PDU size that the client asked for */
	uint16_t connect_choice;
	uint16_t number; /* requests so far */
	/* bit n: a test job (group 1) with sub-function n was started; it sends reports
	 * by itself */
	uint32_t jobs;
	/* The fields from here to `tail_end` are for a server that may be out of step, because the
	 * rest of a request, or an acknowledgement, came late; see cut.c. */
	/* 1: since the late bytes, no answer has shown that the server is in step */
	uint8_t lost;
	uint16_t lost_number; /* running number of the first request after the late bytes */
	uint8_t n_tail;
	uint8_t tail[S7_TAIL]; /* the client's last bytes */
	uint32_t tail_starts;  /* bit n: a packet of the client begins at tail[n] */
	uint32_t tail_end;     /* offset in the client's stream */
	uint8_t watches_more;  /* 1: there are subscribed addresses that are not in `watched` */
	/* 1: the session has got another permit since its first one */
	uint8_t moved;
	uint32_t permit; /* permit of the server's last message; 0: it sent none */
	uint16_t n_lengths, n_watched;
	struct s7_open open[S7_OPEN_MAX];
	/* in this array and the following ones, only entries in use have a meaning */
	uint16_t lengths[S7_LENGTHS];
	struct s7_watched watched[S7_WATCHED_MAX];
};

/* Handles an answer, or anything else that is not a request; see dpi/protocol.h. */
void s7_answered(struct s7_state *s, enum direction dir, const struct s7_unit *u, const struct allowance *by,
		 struct pdu *ret);
void s7_forget(struct s7_state *s, uint32_t i);
/* Notes what the server may send by itself from now on, because this request has passed. */
void s7_subscribe(struct s7_state *s, const struct parsed *p);
/* Notes the permit under which the server's messages are judged now. */
void s7_notice_permit(struct s7_state *s, const struct command_permit *p);
void s7_push(const struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret);
/* Judges a block that the server sends by itself (BSEND). */
void s7_block_pushed(struct s7_state *s, const struct s7_message *m, const struct allowance *by, struct pdu *ret);
/* Judges a service by the rows although its request was not seen, or came from the server. */
void s7_rule_unseen(const struct s7_state *s, uint32_t service, const struct allowance *by, struct pdu *ret);
/* From here on the server may be out of step with the client, until an answer shows that it
 * is not. */
void s7_lose(struct s7_state *s);
/* The enforcer's `once`, `keep`, `again`, `segment` and `repeat`, see dpi/protocol.h. */
bool s7_once(const void *state, struct bytes request, struct bytes answer, struct once_template *ret);
bool s7_keep(const void *state, struct outbuf *to);
bool s7_again(void *state, struct bytes kept);
bool s7_segment(void *state, uint64_t offset, size_t carried, bool late, struct bytes b, const struct allowance *by,
		struct pdu *ret);
bool s7_repeat(void *state, uint64_t offset, size_t carried, size_t length, bool late, struct bytes b,
	       const struct allowance *by, struct pdu *ret);
/* The slot in the session's own connection request, or SLOT_UNKNOWN. */
static inline uint32_t s7_slot(const struct s7_state *s)
{
	return s->slot_known ? s->slot : SLOT_UNKNOWN;
}

#endif
