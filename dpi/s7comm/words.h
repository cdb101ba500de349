/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How S7comm's functions are numbered in policies, operations and events: the kind of PDU, its
 * function or group, and its sub-function, one byte each.
 *
 *   0x00 TT 00   COTP: TT is the type of TPDU
 *   0x01 FF NN   job: FF is the function; NN tells PI services apart, which have names instead of
 *                numbers: S7_PI_*
 *   0x07 GG SS   userdata: group and sub-function
 */
#ifndef SEKISHO_DPI_S7COMM_WORDS_H
#define SEKISHO_DPI_S7COMM_WORDS_H

#include <stdint.h>

#define S7_TPDU(type) ((uint32_t)(type) << 8)
#define S7_FUNCTION(function) (0x010000u | (uint32_t)(function) << 8)
#define S7_SUB(group, sub) (0x070000u | (uint32_t)(group) << 8 | (uint32_t)(sub))

enum s7_function {
	S7_READ = 0x04,
	S7_WRITE = 0x05,
	S7_REQUEST_DOWNLOAD = 0x1a,
	S7_DOWNLOAD_BLOCK = 0x1b,
	S7_DOWNLOAD_ENDED = 0x1c,
	S7_START_UPLOAD = 0x1d,
	S7_UPLOAD = 0x1e,
	S7_END_UPLOAD = 0x1f,
	S7_PI = 0x28,
	S7_STOP = 0x29,
	S7_SETUP = 0xf0,
};

/* The lowest byte of S7_FUNCTION(S7_PI). */
enum s7_pi {
	/* a PI service with another name, or with arguments that a service of its name does not
	 * take */
	S7_PI_OTHER = 0,
	S7_PI_INSERT = 1,
	S7_PI_DELETE = 2,
	S7_PI_START = 3,
	S7_PI_START_COLD = 4,
	S7_PI_RAM_TO_ROM = 5,
	S7_PI_COMPRESS = 6,
};

enum s7_group {
	S7_TEST = 1,
	S7_CYCLIC = 2,
	S7_BLOCKS = 3,
	S7_CPU = 4,
	S7_SECURITY = 5,
	S7_PBC = 6,
	S7_TIME = 7,
	S7_NC = 0x3f,
};

enum s7_space {
#define SPACE(id, ...) id,
#include "dpi/s7comm/spaces.def"
};

#define S7_AREA_BITS 24u /* bits of an address within an area or a block: byte number and bit */

#endif
