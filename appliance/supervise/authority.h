/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that box.cfg names as `ca`: an authority's certificate, which another program reads as a user of its own. Looked at before an apply,
 * because afterwards nobody would hear that it cannot be read.
 */
#ifndef SEKISHO_SUPERVISE_AUTHORITY_H
#define SEKISHO_SUPERVISE_AUTHORITY_H

#include <stdbool.h>

#include "appliance/base/sentence.h"

/* False: *ret says what is wrong. `path` is absolute. */
bool authority_ready(const char *path, struct sentence *ret);

#endif
