/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is kept on the disk as text with a digest, by which a damaged file
 * is recognised. */
#ifndef SEKISHO_STORE_LISTED_H
#define SEKISHO_STORE_LISTED_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/json.h"

bool listed_save(int dirfd, const char *name, const json_t *list);
/* The same with the list as JSON text. */
bool listed_write(int dirfd, const char *name, const char *json, size_t n);
/* A new list, empty where there was none; NULL: it cannot be read, or has more than `most`. */
json_t *listed_read(int dirfd, const char *name, size_t most);

#endif
