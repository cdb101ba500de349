/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enforcer of MEMOBUS in its extended form, binary, in datagrams and over TCP.
 *
 * Every coil, relay and register that a message touches, and every value that it writes, must be
 * allowed. Messages with unknown addresses or values are allowed only by rows without limits. An
 * answer must fit an open request by number, function, CPU numbers and length. The enforcer owns
 * nothing but the flow's inline state, and never sees packets, time or other flows.
 */
#ifndef SEKISHO_DPI_MEMOBUS_MEMOBUS_H
#define SEKISHO_DPI_MEMOBUS_MEMOBUS_H

#include "appliance/wire/operation.h"
#include "dpi/judge.h"
#include "dpi/pending.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"

#define MEMOBUS_PDU_MAX (MEMOBUS_HEADER + MEMOBUS_LENGTH + MEMOBUS_MESSAGE_MAX)
#define MEMOBUS_OPEN_MAX 16u /* requests that may wait for their answers in one flow */

/* ---- messages -------------------------------------------------------------------------------- */

/*
 * Messages of the Extended MEMOBUS protocol in binary mode, behind their 218 header.
 *
 *   218 header   SIEP C880725 12, 2.16: command type (11 command, 19 response, 12 general-purpose
 *                message), identification number, destination and source channel, two unused bytes,
 *                length of the message with this header (low byte first), four unused bytes
 *   message      length of what follows (low byte first), MFC, SFC, CPU numbers, body
 *
 * A general-purpose message has its data right behind the header, and is not answered. A datagram
 * is one 218 header with its message. In the bodies of SFC 01 to 08, 0F and 10 numbers have the
 * high byte first, as in the example of 2.16, "MEMOBUS ASCII Mode" (00 6B, 00 03); in all other
 * bodies they have the low byte first.
 */

#define MEMOBUS_HEADER 12u /* 218 header */
#define MEMOBUS_LENGTH 2u
#define MEMOBUS_LEAST 3u /* MFC, SFC, CPU numbers */
/* 2,044 registers are read at once (2.4, "Data Size") */
#define MEMOBUS_MESSAGE_MAX (6u + 2u * 2044u)
#define MEMOBUS_ERROR 4u     /* message of an error */
#define MEMOBUS_FAILED 0x80u /* bit of its SFC */

enum memobus_type { MEMOBUS_COMMAND = 0x11, MEMOBUS_GENERAL_PURPOSE = 0x12, MEMOBUS_RESPONSE = 0x19 };

/* The length of a message of a function, which may depend on a count. */
struct memobus_layout {
	uint16_t service;
	uint8_t length;	  /* of a command without its items */
	uint8_t item;	  /* bits of one item; 0: the command has no items */
	uint8_t count_at; /* offset of the count, from the MFC; 0: there is no count */
	bool high_first;
	uint16_t max;	      /* largest count */
	uint8_t answer;	      /* as `length`, for an answer */
	uint8_t answer_item;  /* as `item`, for an answer */
	uint8_t longest_item; /* bits of the longest item; 0: all have the same length */
};

struct memobus_head {
	uint8_t type; /* enum memobus_type */
	uint8_t number;
	uint8_t to_channel, from_channel;
	uint8_t to_cpu, from_cpu;
	uint32_t service;  /* MFC, SFC */
	size_t length;	   /* of the message, from the MFC on */
	struct bytes rest; /* behind the CPU numbers; of a general-purpose message, its data */
};

/* NULL: the function is unknown. */
const struct memobus_layout *memobus_layout_of(uint32_t service);
/* Reads the count of a message that begins at `b`. False: its bytes have not arrived yet. */
bool memobus_count(const struct memobus_layout *l, struct bytes b, size_t length, uint32_t *ret);
/* Bytes that `n` items take, of `bits` bits each. */
static inline uint32_t memobus_items(uint32_t n, uint8_t bits)
{
	return (n * bits + 7u) / 8u;
}

/* As the enforcer's `frame`. FRAME_BAD if the length of a command does not fit its function and
 * count. */
enum frame_result memobus_frame(struct bytes head, size_t *ret_len);
/* False when `pdu` is not exactly one message. */
bool memobus_head_parse(struct bytes pdu, struct memobus_head *ret);

/* ---- commands -------------------------------------------------------------------------------- */

/* Reads commands into operations, and says how long the answer may be. */

struct memobus_request {
	bool well_formed;
	uint16_t answer, answer_max;  /* length of the answer's message: minimum and maximum */
	uint32_t n, max;	      /* operations, and how many there is room for (at least 2) */
	struct operation *operations; /* of the caller; values point into the message */
	struct operation like;	      /* the values that all operations have in common */
};

/* Reads a command or a general-purpose message. The caller sets only `operations` and `max` of
 * *ret. The result has at least one operation. */
void memobus_request_parse(const struct memobus_head *h, struct memobus_request *ret);

/* ---- the state of a flow --------------------------------------------------------------------- */

/* What the MEMOBUS enforcer remembers of a flow. Requests wait for their answers as in
 * dpi/pending.h. */

struct memobus_open {
	struct pending_entry wait;
	uint16_t service;
	uint16_t answer, answer_max; /* as in struct memobus_request */
	uint64_t first;		     /* first address of the request, for events */
	uint32_t count;
	uint8_t space;
	uint8_t number;
	uint8_t to_cpu, from_cpu, to_channel, from_channel;
};

struct memobus_state {
	struct pending wait;
	struct memobus_open open[MEMOBUS_OPEN_MAX];
};

#endif
