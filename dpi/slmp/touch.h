/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request touches, put down as operations place by place, and which values it leaves there. Part of the SLMP enforcer, used by
 * request.c alone. Pure.
 */
#ifndef SEKISHO_DPI_SLMP_TOUCH_H
#define SEKISHO_DPI_SLMP_TOUCH_H

#include "dpi/slmp/device.h"
#include "dpi/slmp/request.h"

/* One more place; places that are only read and lie behind each other become one. What finds no room is anywhere. */
void slmp_touch(struct slmp_request *r, uint8_t space, uint64_t first, uint64_t count, struct values values);
/* The same of a device, under each of the numbers that it may have. One that nobody knows is anywhere. */
void slmp_touch_device(struct slmp_request *r, const struct slmp_device_number *d, uint64_t count,
		       struct values values);
/* How many points `words` words of it are. */
uint64_t slmp_points(const struct slmp_device_number *d, uint32_t words);
/* The values that `n` words leave in a device, or `n` bits. */
struct values slmp_words_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at);
struct values slmp_bits_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at);

#endif
