/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the services and commands of EtherNet/IP are numbered by codes of 32 bits. The highest byte
 * of a code is its kind:
 *
 *   0  a CIP service. A service below 0x32 means the same for all classes, so the code is the
 *      service. From 0x32 on, a service has another meaning for each class, so the code is
 *      class << 8 | service. Services on a tag belong to class 0x6b, the controller's symbols.
 *   1  a command of the encapsulation, in the lowest 16 bits
 *   2  a PCCC command << 8 | function, for controllers older than Logix; the function is 0 if the
 *      command has none
 *   3  the purpose for which a connection is opened, and data over a connection without CIP
 *      requests
 */
#ifndef SEKISHO_DPI_ENIP_WORDS_H
#define SEKISHO_DPI_ENIP_WORDS_H

#define ENIP_CLASS_SERVICES 0x32u
#define ENIP_OF_CLASS(class, service) ((uint32_t)(class) << 8 | (service))
#define ENIP_COMMAND(command) (0x01000000u | (command))
#define ENIP_PCCC(command, function) (0x02000000u | (uint32_t)(command) << 8 | (function))
#define ENIP_OPEN_OUTPUT 0x03000000u /* an I/O connection that writes values to the device */
#define ENIP_OPEN_INPUT 0x03000001u  /* an I/O connection that only reads values from the device */
#define ENIP_OPEN_OTHER 0x03000002u
#define ENIP_CONNECTED_DATA 0x03000003u
#define ENIP_LAST 0x03000003u

enum enip_space { ENIP_OBJECTS, ENIP_TAGS };

/* Parts of an object's address, from the lowest bit: attribute, instance, class. */
#define ENIP_ATTRIBUTE_BITS 15u
#define ENIP_INSTANCE_BITS 32u
#define ENIP_CLASS_BITS 16u

/* Routes that no policy can name: a route that was not seen, and a route of more hops than fit
 * a number. */
#define ENIP_ROUTE_UNKNOWN 0xffffffffu
#define ENIP_ROUTE_FAR 0xfffffffeu

#endif
