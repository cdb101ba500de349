/* SPDX-License-Identifier: Apache-2.0 */
/* Files that belong to the running program, found from where its own file is. */
#ifndef SEKISHO_BASE_OWN_PATH_H
#define SEKISHO_BASE_OWN_PATH_H

#include <limits.h>
#include <stdbool.h>

/* The path of `name` from the folder of the running program: "sekishod", or "../lib/sekisho/x".
 * False: that folder is not known, or the path is too long. It does not check that there is such a
 * file. */
bool own_path(const char *name, char ret[PATH_MAX]);

#endif
