/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices: what a code stands for, how its numbers are written, what one point of it is. Part of the SLMP enforcer, used by nobody
 * else. Pure; knows no policy.
 */
#ifndef SEKISHO_DPI_SLMP_DEVICE_H
#define SEKISHO_DPI_SLMP_DEVICE_H

#include "dpi/slmp/frame.h"

enum slmp_kind {
	SLMP_BIT, /* a word of it is 16 points */
	SLMP_WORD,
	SLMP_LONG,  /* 32 bits: two words a point */
	SLMP_TIMER, /* current value of a long timer: read in four words a point, with contact and coil */
};

struct slmp_device {
	uint8_t code; /* binary */
	uint8_t kind; /* enum slmp_kind */
	uint8_t space;
	uint8_t radix;	     /* of its numbers in ASCII */
	uint8_t elsewhere;   /* of series whose manuals read the same digits in another way; 0: none does */
	char old[3], new[5]; /* in ASCII: of the subcommands of MELSEC-Q and L, and of iQ-R; without filling */
};

/* What a request names. Digits that series read differently stand for both numbers. */
struct slmp_device_number {
	const struct slmp_device *device; /* NULL: nobody knows this code */
	uint32_t number, other;		  /* the same unless read differently */
};

/* `wide`: the subcommands of iQ-R, with a longer number and code. False when it is no device specification. */
bool slmp_device_parse(struct slmp_reader *r, bool wide, struct slmp_device_number *ret);
/* Points of the device that `n` words of it are. */
uint64_t slmp_device_points(const struct slmp_device *d, uint32_t n);

#endif
