/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup's file from what the box says of itself: the supervisor's words and the site's certificate in, the encrypted file out. What is in it stands in
 * docs/json.md, "backup". Pure, but for the moment at which it is made.
 */
#ifndef SEKISHO_COMPILE_SEAL_H
#define SEKISHO_COMPILE_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/msg.h"

#define SEAL_MOST (96u << 20) /* bytes of a bundle */

/*
 * `bundle`: texts by name (base/bundle.h): "host"; "status", "devices" as the box answers them, "null" where it does not; then each "generation", the one
 * in force first. *ret: malloc'd, of the caller: the line and the file behind it. With a trouble it is NULL.
 */
struct msg_sealed seal_bundle(struct bytes certificate, struct bytes bundle, uint8_t **ret, size_t *ret_n);

#endif
