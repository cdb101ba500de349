/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of MEMOBUS, its targets in the order of the table in words.c, and its
 * functions, as Yaskawa writes them: main and sub function code (MFC, SFC) in one number. */
#ifndef SEKISHO_DPI_MEMOBUS_WORDS_H
#define SEKISHO_DPI_MEMOBUS_WORDS_H

enum memobus_space {
#define SPACE(id, ...) id,
#include "dpi/memobus/spaces.def"
	MEMOBUS_SPACES
};

#define MEMOBUS_REGISTER_TYPES 5u /* M, G, I, O, S */

enum memobus_target { MEMOBUS_CPU, MEMOBUS_SENDER, MEMOBUS_CHANNEL };

enum memobus_function {
	MEMOBUS_READ_COILS = 0x2001,
	MEMOBUS_READ_RELAYS,
	MEMOBUS_READ_HOLDING,
	MEMOBUS_READ_INPUT,
	MEMOBUS_WRITE_COIL,
	MEMOBUS_WRITE_HOLDING,
	MEMOBUS_LOOPBACK = 0x2008,
	MEMOBUS_READ_HOLDING_MORE,
	MEMOBUS_READ_INPUT_MORE,
	MEMOBUS_WRITE_HOLDING_MORE,
	MEMOBUS_READ_LIST = 0x200d,
	MEMOBUS_WRITE_LIST,
	MEMOBUS_WRITE_COILS,
	MEMOBUS_WRITE_HOLDINGS,
	MEMOBUS_READ_BITS = 0x4341,
	MEMOBUS_WRITE_BIT = 0x4345,
	MEMOBUS_WRITE_REGISTER,
	MEMOBUS_READ_REGISTERS = 0x4349,
	MEMOBUS_WRITE_REGISTERS = 0x434b,
	MEMOBUS_READ_MIXED = 0x434d,
	MEMOBUS_WRITE_MIXED,
	MEMOBUS_WRITE_BITS,
	/* a general-purpose message, which has no function code: its command type */
	MEMOBUS_GENERAL = 0x120000,
};

#endif
