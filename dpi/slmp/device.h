/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of MELSEC controllers: the meaning of a code, the notation of its numbers, and the size
 * of a point. Part of the SLMP enforcer, used by nobody else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_SLMP_DEVICE_H
#define SEKISHO_DPI_SLMP_DEVICE_H

#include "dpi/slmp/frame.h"

enum slmp_kind {
	SLMP_BIT, /* a word has 16 points */
	SLMP_WORD,
	SLMP_LONG, /* 32 bits: a point has two words */
	/* current value of a long timer: a point is read as four words, with contact and coil */
	SLMP_TIMER,
};

struct slmp_device {
	uint8_t code; /* binary */
	uint8_t kind; /* enum slmp_kind */
	uint8_t space;
	uint8_t radix; /* radix of its numbers in ASCII */
	/* the radix in those series of controllers whose manuals use another one; 0 = all series
	 * use `radix` */
	uint8_t elsewhere;
	/* ASCII code in the subcommands of MELSEC-Q and L, and of iQ-R; without padding */
	char old[3], new[5];
};

/* The device number in a request. If series read its digits with different radixes, it has
 * both numbers. */
struct slmp_device_number {
	const struct slmp_device *device; /* NULL: the device code is unknown */
	uint32_t number, other;		  /* equal unless series read the digits differently */
};

/* Reads a device specification; false when it is malformed. `wide`: in the form of the iQ-R
 * subcommands, with a longer number and code. */
bool slmp_device_parse(struct slmp_reader *r, bool wide, struct slmp_device_number *ret);
/* How many points `n` words of the device have. */
uint64_t slmp_device_points(const struct slmp_device *d, uint32_t n);

#endif
