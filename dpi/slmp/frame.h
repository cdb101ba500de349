/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of MC protocol: four forms with one order of fields. Part of the SLMP enforcer, used by
 * nobody else. Pure; knows no policy.
 *
 *   subheader   5000 a request, D000 its answer (3E); 5400 and D400 (4E), which a serial number and
 *               two zero bytes follow
 *   route       network, station, module I/O number, multidrop station
 *   length      of all that follows: bytes; in ASCII, characters
 *   request     monitoring timer, command, subcommand, data
 *   answer      end code, data; or what could not be done
 *
 * Binary numbers have their low byte first, except the subheader. In ASCII all numbers are
 * upper-case hexadecimal, high digit first.
 */
#ifndef SEKISHO_DPI_SLMP_FRAME_H
#define SEKISHO_DPI_SLMP_FRAME_H

#include "dpi/protocol.h"

#define SLMP_TARGETS 4u /* network, station, module I/O, multidrop: the order of the vocabulary */

/* Bits of a form; 0: no frame was seen yet. */
#define SLMP_FORM 1u
#define SLMP_ASCII 2u
#define SLMP_4E 4u

/* Reads numbers in both codings. */
struct slmp_reader {
	struct bytes b;
	bool ascii;
	/* a character was not a digit; `b` then counts as failed */
	bool garbled;
};

struct slmp_head {
	uint8_t form; /* SLMP_FORM and the other bits that apply */
	bool asks;
	uint16_t serial; /* 0 in a 3E frame */
	uint32_t targets[SLMP_TARGETS];
	struct slmp_reader rest; /* the bytes that the length field counts */
};

/* Reads a number of `n` bytes, at most 4. */
bool slmp_number(struct slmp_reader *r, unsigned n, uint32_t *ret);
/* The value of a digit 0..9 or A..F; -1 for other characters. */
int slmp_digit(uint8_t c);

/* Implements `frame` of struct enforcer. `form` 0: any form. */
enum frame_result slmp_frame(uint8_t form, struct bytes head, size_t *ret_len);
/* Reads the header of one whole PDU. False when it is malformed. */
bool slmp_head_parse(struct bytes pdu, struct slmp_head *ret);
/* Bytes of a frame before the part that its length field counts. */
size_t slmp_head_length(uint8_t form);

#endif
