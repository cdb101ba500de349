/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of FINS and its commands. */
#ifndef SEKISHO_DPI_FINS_WORDS_H
#define SEKISHO_DPI_FINS_WORDS_H

enum fins_space {
#define SPACE(id, ...) id,
#include "dpi/fins/spaces.def"
	FINS_SPACES
};

/* The main and sub request code in one number; some parameters make another command of the
 * same code. */
#define FINS_CODE(command, sub) ((uint32_t)(command) << 16 | (uint32_t)(sub))
/* A command of FINS/TCP itself. No FINS command begins with 00, so the codes do not collide. */
#define FINS_TCP(command) FINS_CODE(1, command)

/* Commands that have a layout of their own. */
enum fins_command {
	FINS_MEMORY_READ = 0x0101,
	FINS_MEMORY_WRITE = 0x0102,
	FINS_MEMORY_FILL = 0x0103,
	FINS_MULTIPLE_READ = 0x0104,
	FINS_MEMORY_TRANSFER = 0x0105,
	FINS_RUN = 0x0401,
	FINS_STOP = 0x0402,
	FINS_RESET = 0x0403,
	FINS_CYCLE_TIME = 0x0620,
	FINS_ECHO = 0x0801,
	FINS_BROADCAST_TEST = 0x0803,
	FINS_MESSAGE = 0x0920,
	FINS_FILE_TO_MEMORY = 0x220a,
	FINS_FORCE = 0x2301,
	FINS_FORCE_CANCEL = 0x2302,
	FINS_FORCED_STATUS = 0x230a,
};

/* parameter values that turn a command code into another command */
#define FINS_CYCLE_INITIALISE 0u
#define FINS_CYCLE_READ 1u
#define FINS_MESSAGE_READ 0x0000u
#define FINS_MESSAGE_CLEAR 0x4000u
#define FINS_FAL_READ 0x8000u

#endif
