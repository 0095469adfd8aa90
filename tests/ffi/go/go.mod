module memfd

go 1.19
