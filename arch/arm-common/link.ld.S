/* SPDX-License-Identifier: MIT */
/*
 * One position-independent image, linked at 0 and run where it is loaded. Sections that get
 * different rights at EL2 start on pages of their own.
 */
ENTRY(_start)
PHDRS
{
    text PT_LOAD FLAGS(5);
    data PT_LOAD FLAGS(6);
    linker PT_LOAD FLAGS(4);
    dynamic PT_DYNAMIC FLAGS(4);
}
SECTIONS
{
    . = 0;
    .text : { KEEP(*(.head)) *(.text .text.*) *(.vectors) } :text
    . = ALIGN(4096);
    __text_end = .;
    .rodata : { *(.rodata .rodata.*) } :data
    .data.rel.ro : { __pointers = .; *(.data.rel.ro .data.rel.ro.*) *(.got .got.plt) } :data
    . = ALIGN(4096);
    __rodata_end = .;
    .data : {
        *(.data .data.*)
        . = ALIGN(8);
        __relocs = .; /* behind all pointers, so that its size doesn't move them (relocs.sh) */
        KEEP(*(.pointers))
        __relocs_end = .;
        . = ALIGN(64);
    } :data
    __file_end = .;
    .bss (NOLOAD) : {
        . = ALIGN(4096);
        __bss = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4096);
        __bss_end = .;
    } :data
    __image_end = .;
    _image_size = ABSOLUTE(.);
    /* For relocs.sh, not in the image: */
    .rela : { *(.rela .rela.*) } :linker
    .rel : { *(.rel .rel.*) } :linker
    .dynamic : { *(.dynamic) *(.dynsym) *(.dynstr) *(.hash) *(.gnu.hash) } :linker :dynamic
    /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) *(.ARM.*) *(.interp) *(.gnu.version*) }
}
