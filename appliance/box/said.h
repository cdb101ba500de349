/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that stands beside the daemon, and speaks to the network, has put down for it: a small file of lines "KEY VALUE" in a fixed
 * order. Another user writes it, who may have been taken over: nothing in it is believed before it was held to its form.
 */
#ifndef SEKISHO_BOX_SAID_H
#define SEKISHO_BOX_SAID_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/json.h"

#define SAID_LINE 120u /* bytes of a value, NUL included */

/* The file into `out`: its length, 0 when there is none, or one that fills all of `size`. */
size_t said_file(const char *path, uint8_t *out, size_t size);
/* The next line, without its key and a blank; "" where it is another one, which fails. */
void said_line(struct bytes *b, const char *key, char out[SAID_LINE]);
/* A number of at most nine digits, -1 for "-"; a fraction is left out. */
int64_t said_number(struct bytes *b, const char *key);
/* Seconds since this start of the machine: nobody sets them. */
uint64_t said_now_s(void);
/* A moment of this start of the machine, by the clock as it goes now. */
json_t *said_time(uint64_t s);

#endif
