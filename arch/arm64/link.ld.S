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
    dynamic PT_DYNAMIC FLAGS(4);
}
SECTIONS
{
    . = 0;
    .text : { KEEP(*(.head)) *(.text .text.*) } :text
    . = ALIGN(4096);
    __text_end = .;
    .rodata : { *(.rodata .rodata.*) } :data
    .rela : { __rela = .; *(.rela .rela.*) __rela_end = .; } :data
    .data.rel.ro : { *(.data.rel.ro .data.rel.ro.*) *(.got .got.plt) } :data
    .dynamic : { *(.dynamic) *(.dynsym) *(.dynstr) *(.hash) *(.gnu.hash) } :data :dynamic
    . = ALIGN(4096);
    __rodata_end = .;
    .data : { *(.data .data.*) . = ALIGN(64); } :data
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
    /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) *(.interp) *(.gnu.version*) }
}
