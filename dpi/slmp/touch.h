/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds operations for the addresses that a request touches, with the values that it writes there.
 * Part of the SLMP enforcer, used by request.c alone. Pure.
 */
#ifndef SEKISHO_DPI_SLMP_TOUCH_H
#define SEKISHO_DPI_SLMP_TOUCH_H

#include "dpi/slmp/device.h"
#include "dpi/slmp/request.h"

/* Adds a range of addresses. Adjacent ranges that are only read are merged. If there is no room,
 * the request counts as touching any address. */
void slmp_touch(struct slmp_request *r, uint8_t space, uint64_t first, uint64_t count, struct values values);
/* Adds a device, under each number that it may have. An unknown device counts as any address. */
void slmp_touch_device(struct slmp_request *r, const struct slmp_device_number *d, uint64_t count,
		       struct values values);
/* How many points `words` words of the device have. */
uint64_t slmp_points(const struct slmp_device_number *d, uint32_t words);
/* The values that `n` written words, or `n` written bits, leave in a device. */
struct values slmp_words_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at);
struct values slmp_bits_written(const struct slmp_device_number *d, uint32_t n, const struct slmp_reader *at);

#endif
