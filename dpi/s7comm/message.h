/* SPDX-License-Identifier: Apache-2.0 */
/*
 * S7 messages: the header, the operations of a request, and whether an answer has the form that its
 * request demands. Part of the S7comm enforcer and used by nobody else. Pure; knows no policy.
 *
 * Siemens published no specification. This module agrees with snap7, libnodave, PLC4X and
 * Wireshark's dissector, and with captures of STEP 7, WinCC and controllers; where these differ,
 * values and addresses count as unknown.
 */
#ifndef SEKISHO_DPI_S7COMM_MESSAGE_H
#define SEKISHO_DPI_S7COMM_MESSAGE_H

#include "appliance/wire/operation.h"
#include "dpi/protocol.h"
#include "dpi/s7comm/words.h"

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

#endif
