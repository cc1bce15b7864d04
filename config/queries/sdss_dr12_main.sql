-- The main galaxy sample of SDSS's DR12, after the query that is known for the sample of
-- Pasquet et al. 2019 (the one of Hayat et al. 2021 itself is not known; Lin et al. 2022 use
-- Pasquet's). That query is stated to return 547,199 rows.
-- Ours: model magnitudes, extinctions and the columns that place a galaxy on its frame; and the order,
-- so that which of two spectra stands first does not depend on the server.
SELECT
    p.objID AS objID, s.specObjID AS specObjID,
    p.ra AS ra, p.dec AS dec,
    p.run AS run, p.rerun AS rerun, p.camcol AS camcol, p.field AS field,
    s.z AS z, s.zErr AS zErr, s.zWarning AS zWarning,
    s.class AS class, s.subClass AS subClass,
    p.type AS type, p.mode AS mode, p.clean AS clean, p.insideMask AS insideMask, p.flags AS flags,
    p.petroMag_r - p.extinction_r AS dered_petro_r,
    p.petroMag_u AS petroMag_u, p.petroMag_g AS petroMag_g, p.petroMag_r AS petroMag_r,
    p.petroMag_i AS petroMag_i, p.petroMag_z AS petroMag_z,
    p.petroMagErr_u AS petroMagErr_u, p.petroMagErr_g AS petroMagErr_g,
    p.petroMagErr_r AS petroMagErr_r, p.petroMagErr_i AS petroMagErr_i,
    p.petroMagErr_z AS petroMagErr_z,
    p.modelMag_u AS modelMag_u, p.modelMag_g AS modelMag_g, p.modelMag_r AS modelMag_r,
    p.modelMag_i AS modelMag_i, p.modelMag_z AS modelMag_z,
    p.modelMagErr_u AS modelMagErr_u, p.modelMagErr_g AS modelMagErr_g,
    p.modelMagErr_r AS modelMagErr_r, p.modelMagErr_i AS modelMagErr_i,
    p.modelMagErr_z AS modelMagErr_z,
    p.extinction_u AS extinction_u, p.extinction_g AS extinction_g, p.extinction_r AS extinction_r,
    p.extinction_i AS extinction_i, p.extinction_z AS extinction_z,
    p.expRad_r AS expRad_r, p.expAB_r AS expAB_r, p.fracDeV_r AS fracDeV_r,
    p.rowc_u AS rowc_u, p.rowc_g AS rowc_g, p.rowc_r AS rowc_r, p.rowc_i AS rowc_i,
    p.rowc_z AS rowc_z,
    f.psfWidth_u AS psfWidth_u, f.psfWidth_g AS psfWidth_g, f.psfWidth_r AS psfWidth_r,
    f.psfWidth_i AS psfWidth_i, f.psfWidth_z AS psfWidth_z,
    z.z AS zphot, z.zErr AS dzphot,
    g.e_bv_sfd AS e_bv_sfd, g.primtarget AS primtarget, g.sectarget AS sectarget,
    g.targettype AS targettype, g.spectrotype AS spectrotype
FROM SpecObjAll AS s
JOIN PhotoObjAll AS p ON p.objID = s.bestObjID
JOIN Field AS f ON f.fieldID = p.fieldID
JOIN Photoz AS z ON z.objID = s.bestObjID
JOIN galSpecInfo AS g ON g.specObjID = s.specObjID
WHERE s.z > 0 AND s.z <= 0.4
    AND s.zWarning = 0
    AND s.targetType = 'SCIENCE'
    AND s.survey = 'sdss'
    AND s.class = 'GALAXY'
    AND p.clean = 1
    AND p.insideMask = 0
    AND p.petroMag_r - p.extinction_r <= 17.8
    AND g.primtarget >= 64
    AND {page}
ORDER BY p.objID, s.specObjID
