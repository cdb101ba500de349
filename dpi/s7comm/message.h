/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S7 messages: the header, the operations of a request, and whether an answer has the shape of what was asked for. Part of the
 * S7comm enforcer and used by nobody else. Pure; knows no policy.
 *
 * Siemens published no specification. What is here agrees with what snap7, libnodave, PLC4X and Wireshark's dissector make of
 * it, and with captures of STEP 7, WinCC and controllers; where they differ, values and places count as unknown.
 */
#ifndef SEKISHO_DPI_S7COMM_MESSAGE_H
#define SEKISHO_DPI_S7COMM_MESSAGE_H

#include "appliance/wire/operation.h"
#include "dpi/protocol.h"
#include "dpi/s7comm/words.h"

/* Kinds of messages. */
enum s7_kind { S7_JOB = 1, S7_ACK = 2, S7_ACK_DATA = 3, S7_USERDATA = 7 };

/* Who speaks in a userdata message. */
enum s7_says { S7_PUSHES = 0, S7_ASKS = 1, S7_ANSWERS = 2 };

struct s7_message {
	enum reason wrong; /* R_ALLOWED, or why the fields below mean nothing */
	uint8_t kind;	   /* enum s7_kind */
	uint16_t reference;
	uint16_t error; /* S7_ACK, S7_ACK_DATA: class and code */
	struct bytes parameters, data;
	/* The first of the parameters. */
	uint8_t function; /* job and its answers */
	uint8_t says;	  /* userdata: enum s7_says */
	uint8_t group, sub;
	uint8_t sequence;
	bool more;	/* userdata: another part of this answer can be asked for */
	uint16_t fault; /* userdata: error of the answer */
};

/* `b` is a whole message of at least one byte. */
void s7_message_read(struct bytes b, struct s7_message *ret);

/*
 * The operations of a job or a userdata request, at least one; how many. *ret_wrong: R_ALLOWED, or what is wrong with it. Written values
 * are borrowed from the message. Targets are the caller's.
 */
uint32_t s7_request_operations(const struct s7_message *m, struct operation *operations, enum reason *ret_wrong);
/* The PDU size that a setup of communication names, in a request or in an answer; 0: none. */
uint16_t s7_setup_size(const struct s7_message *m);

/* Items of a read or write, or of a cyclic read. Reads `n` of them from the head of *b; false: no such items. */
bool s7_items(struct bytes *b, uint8_t n, uint32_t service, struct operation *operations);
/* The data of `n` written items. */
bool s7_items_values(struct bytes b, uint8_t n, struct bytes items, struct operation *operations);

#define S7_LENGTH_ANY 0xffffu
/* Bytes of data that an answer to this read has; S7_LENGTH_ANY when that cannot be told. */
uint16_t s7_answer_length(const struct operation *o);
/* An answer's items: n of these lengths, each of them there or refused. */
bool s7_items_answered(struct bytes b, uint8_t n, const uint16_t *lengths);

/* A function's answer, but for those of items. */
bool s7_answer_fits(uint32_t service, const struct s7_message *m);

#endif
