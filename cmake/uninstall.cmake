# cmake --build build --target uninstall: removes what the last installation from this build folder put where it is.
# Folders stay: others may use them.
if(NOT EXISTS install_manifest.txt)
  message(FATAL_ERROR "install_manifest.txt: not there; nothing was installed from this folder")
endif()
file(STRINGS install_manifest.txt files)
foreach(file IN LISTS files)
  file(REMOVE "$ENV{DESTDIR}${file}")
  message(STATUS "Removed: $ENV{DESTDIR}${file}")
endforeach()
