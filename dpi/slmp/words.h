/* SPDX-License-Identifier: Apache-2.0 */
/* The address spaces of MC protocol / SLMP, in the order of devices.def. */
#ifndef SEKISHO_DPI_SLMP_WORDS_H
#define SEKISHO_DPI_SLMP_WORDS_H

enum slmp_space {
#define DEVICE(name, ...) SLMP_##name,
#include "dpi/slmp/devices.def"
	SLMP_BUFFER, /* buffer memory of the answering module, in words */
	/* buffer memory of an intelligent function module: module number, then byte */
	SLMP_MODULE_BUFFER,
	SLMP_SPACES
};

/* Commands that have a layout of their own. */
enum slmp_command {
	SLMP_TYPE_NAME = 0x0101,
	SLMP_BATCH_READ = 0x0401,
	SLMP_RANDOM_READ = 0x0403,
	SLMP_BLOCK_READ = 0x0406,
	SLMP_MODULE_READ = 0x0601,
	SLMP_BUFFER_READ = 0x0613,
	SLMP_SELF_TEST = 0x0619,
	SLMP_MONITOR_REGISTER = 0x0801,
	SLMP_MONITOR = 0x0802,
	SLMP_RUN = 0x1001,
	SLMP_STOP = 0x1002,
	SLMP_PAUSE = 0x1003,
	SLMP_LATCH_CLEAR = 0x1005,
	SLMP_RESET = 0x1006,
	SLMP_BATCH_WRITE = 0x1401,
	SLMP_RANDOM_WRITE = 0x1402,
	SLMP_BLOCK_WRITE = 0x1406,
	SLMP_MODULE_WRITE = 0x1601,
	SLMP_BUFFER_WRITE = 0x1613,
	SLMP_UNLOCK = 0x1630,
	SLMP_LOCK = 0x1631,
	SLMP_ON_DEMAND = 0x2101,
};

#endif
