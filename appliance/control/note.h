/* SPDX-License-Identifier: Apache-2.0 */
/* Small texts that the role keeps in its folder. */
#ifndef SEKISHO_CONTROL_NOTE_H
#define SEKISHO_CONTROL_NOTE_H

#include <stdbool.h>

/* A text without blanks in a file of control's folder, with its digest. */
#define NOTE_MOST 128u
void note_keep(const char *name, const char *what);
/* False: there is no such file, or it is damaged. */
bool note_kept(const char *name, char out[NOTE_MOST]);

#endif
