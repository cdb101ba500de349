/* SPDX-License-Identifier: Apache-2.0 */
/* The state as a display shows it, which everybody in the room can read. */
#ifndef SEKISHO_WEB_API_NAMELESS_H
#define SEKISHO_WEB_API_NAMELESS_H

/* The answer of /api/v1/state without names of persons and without what persons wrote: reasons,
 * notes, tickets. Sentences have "..." in their place. The caller frees the text; NULL when `state`
 * is no JSON object, or memory is out. */
char *state_nameless(const char *state);

#endif
