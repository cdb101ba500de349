/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the Extended MEMOBUS protocol in binary mode, behind their 218 header. Part of the
 * MEMOBUS enforcer, used by nobody else. Pure; knows no policy.
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
#ifndef SEKISHO_DPI_MEMOBUS_FRAME_H
#define SEKISHO_DPI_MEMOBUS_FRAME_H

#include "dpi/protocol.h"

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
/* Bytes of `n` items of so many bits. */
static inline uint32_t memobus_items(uint32_t n, uint8_t bits)
{
	return (n * bits + 7u) / 8u;
}

/* Checks the first bytes. FRAME_BAD: they begin no message; FRAME_NEED_MORE: the count is not there
 * yet; FRAME_WHOLE: they have the count, too. */
enum frame_result memobus_begins(struct bytes head);
/* As the enforcer's `frame`. FRAME_BAD if the length of a command does not fit its function and
 * count. */
enum frame_result memobus_frame(struct bytes head, size_t *ret_len);
/* False when `pdu` is not exactly one message. */
bool memobus_head_parse(struct bytes pdu, struct memobus_head *ret);

#endif
